mode=$1 port=$2
if [ "$mode" = leaking ]; then
  while true; do
    curl -s -o /dev/null "http://127.0.0.1:$port/"
    sleep 0.3
  done
fi
exec 3<>"/dev/tcp/127.0.0.1/$port"
while true; do
  printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&3
  while read -r line <&3 && [ "$line" != $'\r' ]; do :; done
  read -r -N 2 _ <&3 # the body
  date >/dev/null
  sleep 0.3
done
