. "$FORM_LIB/form.sh"
port=$(freeport)
export HOME=$tmp RABBITMQ_NODENAME=form$port@localhost RABBITMQ_MNESIA_BASE=$tmp RABBITMQ_LOG_BASE=$tmp RABBITMQ_PID_FILE=$tmp/pid
export RABBITMQ_ENABLED_PLUGINS_FILE=$tmp/plugins RABBITMQ_CONFIG_FILE=$tmp/rabbitmq RABBITMQ_DIST_PORT=$(freeport) ERL_EPMD_PORT=$(freeport)
export ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 1:1'
printf '[].\n' >"$tmp/plugins"
printf 'listeners.tcp.1 = 127.0.0.1:%s\nheartbeat = 5\n' "$port" >"$tmp/rabbitmq.conf"
server=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server | tail -n 1)
# Erlang's name server would detach itself; this one ends with the form.
start epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1
role broker bash "$server"
listens broker "$port"
role app python3 app.py "$mode" "$port"
hold
