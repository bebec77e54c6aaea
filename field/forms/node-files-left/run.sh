. "$FORM_LIB/form.sh"
port=$(freeport)
role app node app.js "$mode" "$port" "$tmp/requests"
listens app "$port"
role client python3 client.py "$port"
hold
