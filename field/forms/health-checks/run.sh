. "$FORM_LIB/form.sh"
back=$(freeport)
role app python3 server.py "$back" "$mode"
listens app "$back"
front=$(freeport)
cat >"$tmp/haproxy.cfg" <<C
defaults
  mode tcp
  timeout connect 2s
  timeout client 60s
  timeout server 60s
listen front
  bind 127.0.0.1:$front
  server s 127.0.0.1:$back check inter 250ms
backend deep
  option tcp-check
  tcp-check send PING\r\n
  tcp-check expect string +OK
  server s 127.0.0.1:$back check inter 250ms
C
role haproxy haproxy -db -f "$tmp/haproxy.cfg"
listens haproxy "$front"
role client python3 client.py "$front"
hold
