. "$FORM_LIB/form.sh"
peer server http
role app bash app.sh "$mode" "$port"
hold
