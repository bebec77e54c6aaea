. "$FORM_LIB/form.sh"
port=$(freeport)
cat >"$tmp/nginx.conf" <<C
daemon off;
worker_processes 1;
pid $tmp/pid;
error_log $tmp/error;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $tmp; proxy_temp_path $tmp; fastcgi_temp_path $tmp; uwsgi_temp_path $tmp; scgi_temp_path $tmp;
  server { listen 127.0.0.1:$port; location / { return 200 "hi"; } }
}
C
role nginx nginx -c "$tmp/nginx.conf"
listens nginx "$port"
role app python3 app.py "$mode" "$port"
hold
