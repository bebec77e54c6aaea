. "$FORM_LIB/form.sh"
port=$(freeport)
if [ "$(id -u)" = 0 ]; then user='-u nobody'; else user=''; fi
# shellcheck disable=SC2086 # two words
role memcached memcached -l 127.0.0.1 -p "$port" -c 2048 $user
listens memcached "$port"
role app perl app.pl "$mode" "$port"
hold
