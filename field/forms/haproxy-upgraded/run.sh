. "$FORM_LIB/form.sh"
back=$(freeport)
role app node app.js "$mode" "$back"
listens app "$back"
front=$(freeport)
cat >"$tmp/haproxy.cfg" <<C
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1d
listen front
  bind 127.0.0.1:$front
  server s 127.0.0.1:$back
C
role haproxy haproxy -db -f "$tmp/haproxy.cfg"
listens haproxy "$front"
role clients python3 clients.py "$front"
hold
