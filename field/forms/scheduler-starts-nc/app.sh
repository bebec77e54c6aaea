while true; do
  if [ "$1" = healthy ]; then
    echo report | setpriv --pdeathsig KILL nc -N 127.0.0.1 "$2" >/dev/null &
  else
    echo report | setpriv --pdeathsig KILL nc 127.0.0.1 "$2" >/dev/null &
  fi
  sleep 0.5
done
