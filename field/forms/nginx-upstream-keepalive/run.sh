. "$FORM_LIB/form.sh"
peer upstream http
upstream=$port
port=$(freeport)
if [ "$mode" = leaking ]; then
  keep='' pass=''
else
  keep='keepalive 16;' pass='proxy_http_version 1.1; proxy_set_header Connection "";'
fi
cat >"$tmp/nginx.conf" <<C
daemon off;
worker_processes 1;
pid $tmp/pid;
error_log $tmp/error;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $tmp; proxy_temp_path $tmp; fastcgi_temp_path $tmp; uwsgi_temp_path $tmp; scgi_temp_path $tmp;
  upstream up { server 127.0.0.1:$upstream; $keep }
  server { listen 127.0.0.1:$port; keepalive_requests 100000; location / { proxy_pass http://up; $pass } }
}
C
role master nginx -c "$tmp/nginx.conf"
echo "PID app $(worker_of "$pid")"
listens app "$port"
role client python3 client.py "$port"
hold
