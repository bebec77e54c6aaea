while true; do
  exec {server}<>"/dev/tcp/127.0.0.1/$2"
  echo state >&"$server"
  read -r _ <&"$server"
  if [ "$1" = healthy ]; then exec {server}>&-; fi
  sleep 0.4 {server}>&-
done
