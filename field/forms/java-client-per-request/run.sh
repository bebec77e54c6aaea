. "$FORM_LIB/form.sh"
peer server http
role app java -Xmx64m App.java "$mode" "$port"
hold
