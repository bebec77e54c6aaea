. "$FORM_LIB/form.sh"
. "$FORM_LIB/postgres.sh"
role app node app.js "$mode" "$port"
hold
