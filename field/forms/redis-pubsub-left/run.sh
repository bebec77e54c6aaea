. "$FORM_LIB/form.sh"
port=$(freeport)
ln -s "$(command -v redis-server)" "$tmp/redis$port" # a name of its own
role redis "$tmp/redis$port" --port "$port" --bind 127.0.0.1 --save '' --dir "$tmp"
listens redis "$port"
role app python3 app.py "$mode" "$port"
hold
