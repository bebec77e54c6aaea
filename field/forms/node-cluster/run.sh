. "$FORM_LIB/form.sh"
peer upstream http
upstream=$port
port=$(freeport)
role app node app.js "$mode" "$port" "$upstream"
listens app "$port"
role clients python3 clients.py "$port"
hold
