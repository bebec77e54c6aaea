. "$FORM_LIB/form.sh"
peer server lines
role app perl app.pl "$mode" "$port"
hold
