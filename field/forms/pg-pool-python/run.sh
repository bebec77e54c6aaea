. "$FORM_LIB/form.sh"
. "$FORM_LIB/postgres.sh"
role app python3 app.py "$mode" "$port"
hold
