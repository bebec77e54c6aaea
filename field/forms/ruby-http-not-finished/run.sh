. "$FORM_LIB/form.sh"
peer server http
role app ruby app.rb "$mode" "$port"
hold
