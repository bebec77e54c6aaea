. "$FORM_LIB/form.sh"
peer server lines
role app bash app.sh "$mode" "$port"
hold
