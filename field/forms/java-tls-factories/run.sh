. "$FORM_LIB/form.sh"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
  -subj /CN=localhost -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
port=$(freeport)
role server python3 server.py "$port" "$tmp/cert.pem" "$tmp/key.pem"
listens server "$port"
role app java -Xmx64m App.java "$mode" "$port"
hold
