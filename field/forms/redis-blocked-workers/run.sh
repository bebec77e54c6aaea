. "$FORM_LIB/form.sh"
port=$(freeport)
role redis redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$tmp"
listens redis "$port"
role app python3 app.py "$mode" "$port"
hold
