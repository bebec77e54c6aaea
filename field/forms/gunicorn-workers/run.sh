. "$FORM_LIB/form.sh"
peer upstream http
upstream=$port
port=$(freeport)
export FORM_MODE=$mode FORM_UPSTREAM=$upstream
role app gunicorn -w 3 -b "127.0.0.1:$port" --worker-tmp-dir "$tmp" app:serve
listens app "$port"
role clients python3 clients.py "$port"
hold
