. "$FORM_LIB/form.sh"
role daemon ruby daemon.rb "$tmp/socket"
for _ in $(seq 100); do
  [ -S "$tmp/socket" ] && break
  sleep 0.1
done
role app ruby app.rb "$mode" "$tmp/socket"
hold
