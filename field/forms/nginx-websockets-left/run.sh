. "$FORM_LIB/form.sh"
back=$(freeport)
role backend python3 backend.py "$back"
listens backend "$back"
front=$(freeport)
cat >"$tmp/nginx.conf" <<C
daemon off;
worker_processes 1;
pid $tmp/pid;
error_log $tmp/error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path $tmp; proxy_temp_path $tmp; fastcgi_temp_path $tmp; uwsgi_temp_path $tmp; scgi_temp_path $tmp;
  server {
    listen 127.0.0.1:$front;
    location / {
      proxy_pass http://127.0.0.1:$back;
      proxy_http_version 1.1;
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 1d;
    }
  }
}
C
role nginx nginx -c "$tmp/nginx.conf"
listens nginx "$front"
role app python3 app.py "$mode" "$front"
hold
