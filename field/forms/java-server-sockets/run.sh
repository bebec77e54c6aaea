. "$FORM_LIB/form.sh"
port=$(freeport)
role app java -Xmx64m Server.java "$mode" "$port"
listens app "$port"
role clients python3 ../ruby-threads/clients.py "$port"
hold
