#!/usr/bin/env bash
# PostgreSQL: clients that stand at the password use up max_connections, and pg_stat_activity has none.
#
# Version   postgresql-15 15.18-0+deb12u1 (Debian 12), which has to be installed.
# Expected  "The pg_stat_activity view will have one row per server process": what counts against
#           max_connections is in it, and in numbackends of pg_stat_database. A client that has connected
#           and not logged in either does not count yet, or is in both.
# Real      A client that has sent its user name and not its password has a slot, and is in neither.
#           Four of them, and no user gets in ("remaining connection slots are reserved"), while
#           both views have 1 of 8. ps says "authentication", ss has the connections. A client that has connected and
#           sent nothing has a process, and no slot. (PostgreSQL 18 gives those who log in
#           a row, with the state "starting".)
# Matters   An outage of LDAP or of a resolver that authentication asks, slow clients, or a pool that opens
#           all of its connections at once: "too many clients", and a dashboard made of
#           pg_stat_activity is at 12 %. It lasts for authentication_timeout, 60 s, each.
# Seen      2026-11-30
#           max_connections 8, 3 reserved, 1 administrator; nobody else: 4 users log in
#           4 clients at the password: 0 users log in; pg_stat_activity 1, numbackends 1; ss 5
#           12 clients have sent nothing: 4 users log in; pg_stat_activity 1, numbackends 1; ss 13
set -euo pipefail
bin=/usr/lib/postgresql/15/bin
if [ ! -x "$bin/postgres" ] || ! command -v ss >/dev/null || ! command -v python3 >/dev/null; then
  echo "needs postgresql-15 of Debian 12, ss and python3" >&2
  exit 77
fi
version=$(dpkg-query -W -f '${Version}' postgresql-15 2>/dev/null || true)
[ "$version" = 15.18-0+deb12u1 ] || echo "another version: $version" >&2
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"
user=()
mkdir data
if [ "$(id -u)" = 0 ]; then # it does not run as root
  user=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
  chmod 711 .
  chown 65534:65534 data
fi
"${user[@]}" "$bin/initdb" -D data -U admin -A trust -N --no-locale >/dev/null
cat >hba <<'HBA'
host all stands 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
HBA
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${user[@]}" "$bin/postgres" -D "$work/data" -p "$port" -k '' -c listen_addresses=127.0.0.1 -c "hba_file=$work/hba" \
  -c max_connections=8 -c superuser_reserved_connections=3 -c wal_level=minimal -c max_wal_senders=0 2>log &
server=$!
cat >play.py <<'PY'
import socket
import struct
import subprocess
import sys
import time

port = int(sys.argv[1])


class Client:
    def __init__(self, user=None):
        self.c = socket.create_connection(("127.0.0.1", port))
        self.c.settimeout(10)
        self.error = ""
        if user:
            body = struct.pack(">I", 196608) + b"user\0" + user + b"\0database\0postgres\0\0"
            self.c.sendall(struct.pack(">I", len(body) + 4) + body)
            self.rows = self.until_ready()

    def read(self, n):
        got = b""
        while len(got) < n:
            data = self.c.recv(n - len(got))
            if not data:
                raise EOFError
            got += data
        return got

    def until_ready(self):
        """Reads until the server waits for a query, or for the password, or has ended it."""
        rows = []
        while True:
            kind, size = struct.unpack(">cI", self.read(5))
            body = self.read(size - 4)
            if kind == b"D":
                rows.append(body[6:].decode())
            elif kind == b"E":
                self.error = body.decode(errors="replace")
                return rows
            elif kind == b"Z" or kind == b"R" and body[:4] == b"\0\0\0\x0a":
                return rows

    def query(self, text):
        self.c.sendall(b"Q" + struct.pack(">I", len(text) + 5) + text + b"\0")
        return self.until_ready()[0]


for _ in range(200):
    try:
        admin = Client(b"admin")
        if not admin.error:
            break
    except (ConnectionRefusedError, EOFError):
        pass
    time.sleep(0.1)
body = b"CREATE ROLE u LOGIN\0"
admin.c.sendall(b"Q" + struct.pack(">I", len(body) + 4) + body)
admin.until_ready()


def alone():
    """Waits until the processes of clients that have left are gone."""
    end = time.monotonic() + 10
    while time.monotonic() < end and connections() != 1:
        time.sleep(0.05)


def connections():
    return len(subprocess.run(["ss", "-Htn", "state", "connected", "exclude", "time-wait",
                               "sport", "= :%d" % port],
                              check=True, capture_output=True, text=True).stdout.splitlines())


def views():
    return "pg_stat_activity %s, numbackends %s" % (
        admin.query(b"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"),
        admin.query(b"SELECT sum(numbackends) FROM pg_stat_database"))


def users():
    got = []
    while len(got) < 8:
        c = Client(b"u")
        if c.error:
            c.c.close()
            break
        got.append(c)
    for c in got:
        c.c.close()
    return len(got)


print("max_connections 8, 3 reserved, 1 administrator; nobody else: %d users log in" % users(), flush=True)
alone()
for n, user, what in (4, b"stands", "at the password"), (12, None, "have sent nothing"):
    others = [Client(user) for _ in range(n)]
    assert not any(c.error for c in others)
    end = time.monotonic() + 5
    while connections() != n + 1 and time.monotonic() < end:
        time.sleep(0.05)
    seen, open_ = views(), connections()
    print("%d clients %s: %d users log in; %s; ss %d" % (n, what, users(), seen, open_), flush=True)
    for c in others:
        c.c.close()
    alone()
PY
timeout 50 python3 play.py "$port" | tee seen
diff - seen <<'WANT'
max_connections 8, 3 reserved, 1 administrator; nobody else: 4 users log in
4 clients at the password: 0 users log in; pg_stat_activity 1, numbackends 1; ss 5
12 clients have sent nothing: 4 users log in; pg_stat_activity 1, numbackends 1; ss 13
WANT
