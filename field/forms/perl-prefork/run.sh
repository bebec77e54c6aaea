. "$FORM_LIB/form.sh"
port=$(freeport)
role app perl app.pl "$mode" "$port"
listens app "$port"
role clients python3 clients.py "$port"
hold
