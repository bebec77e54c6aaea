. "$FORM_LIB/form.sh"
peer server http
role app php app.php "$mode" "$port"
hold
