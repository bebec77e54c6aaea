. "$FORM_LIB/form.sh"
peer server lines
role app sh -c 'while true; do timeout 40 python3 client.py "$@"; done' sh "$mode" "$port"
hold
