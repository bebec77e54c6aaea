. "$FORM_LIB/form.sh"
peer mta smtp
role app php app.php "$mode" "$port"
hold
