# Starts a PostgreSQL server as the role postgres; its port is in $port. Sourced after form.sh.
port=$(freeport)
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
mkdir "$tmp/data" && chown postgres "$tmp/data"
su postgres -c "$bin/initdb -A trust -U postgres -D $tmp/data" >>"$tmp/log" 2>&1
role postgres setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig KILL \
  "$bin/postgres" -D "$tmp/data" -p "$port" -k "$tmp/data" -c listen_addresses=127.0.0.1 -c max_connections=400
listens postgres "$port"
