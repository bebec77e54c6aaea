. "$FORM_LIB/form.sh"
peer server lines
role app php app.php "$mode" "$port"
hold
