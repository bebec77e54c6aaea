. "$FORM_LIB/form.sh"
port=$(freeport)
printf 'pidfile %s/slapd.pid\nargsfile %s/slapd.args\n' "$tmp" "$tmp" >"$tmp/slapd.conf"
role slapd slapd -d 0 -f "$tmp/slapd.conf" -h "ldap://127.0.0.1:$port"
listens slapd "$port"
role app perl app.pl "$mode" "$port"
hold
