. "$FORM_LIB/form.sh"
port=$(freeport)
if [ "$mode" = leaking ]; then timeout=1d; else timeout=20s; fi
cat >"$tmp/nginx.conf" <<C
daemon off;
worker_processes 1;
pid $tmp/pid;
error_log $tmp/error;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path $tmp; proxy_temp_path $tmp; fastcgi_temp_path $tmp; uwsgi_temp_path $tmp; scgi_temp_path $tmp;
  keepalive_timeout $timeout;
  server { listen 127.0.0.1:$port; location / { return 200 "hi"; } }
}
C
role master nginx -c "$tmp/nginx.conf"
echo "PID app $(worker_of "$pid")"
listens app "$port"
role visitors python3 visitors.py "$port"
hold
