. "$FORM_LIB/form.sh"
port=$(freeport)
printf 'listener %s 127.0.0.1\nallow_anonymous true\nmax_connections -1\n' "$port" >"$tmp/mosquitto.conf"
role broker mosquitto -c "$tmp/mosquitto.conf"
listens broker "$port"
role app python3 app.py "$mode" "$port"
hold
