# What the forms in shell share; sourced by a run.sh, which is called with
# leaking|healthy and seconds. Everything that it starts ends with it.
set -u
mode=${1:-leaking}
seconds=${2:-120}
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH=$lib PYTHONDONTWRITEBYTECODE=1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/form.XXXXXX")
chmod 755 "$tmp"
pids=()

finish() {
  trap '' TERM
  for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
  sleep 0.3
  for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; done
  cleanup
  rm -rf "$tmp"
}
cleanup() { :; } # a form may have more to take away
trap finish EXIT
trap 'exit 0' TERM INT

# freeport prints a port that nothing listens on.
freeport() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start COMMAND... starts a process that ends with the form; its pid is in $pid.
start() {
  setpriv --pdeathsig KILL "$@" </dev/null >>"$tmp/log" 2>&1 &
  pid=$!
  pids+=("$pid")
}

# role NAME COMMAND... starts a role.
role() {
  local name=$1
  shift
  start "$@"
  echo "PID $name $pid"
}

# listens NAME PORT waits until the port of this network namespace listens, and says it.
listens() {
  local hex
  hex=$(printf ':%04X' "$2")
  for _ in $(seq 200); do
    if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v p="$hex" '$4 == "0A" && substr($2, length($2) - 4) == p { found = 1 } END { exit !found }'; then
      echo "PORT $1 $2"
      return
    fi
    sleep 0.1
  done
  echo "port $2 never opened" >&2
  cat "$tmp/log" >&2
  exit 1
}

# peer NAME KIND [ARGUMENT] starts a server of peer.py; its port is in $port.
peer() {
  port=$(freeport)
  role "$1" python3 "$lib/peer.py" "$2" "$port" "${@:3}"
  listens "$1" "$port"
}

# worker_of PID [N] prints the N-th child of a process, once it is there.
worker_of() {
  for _ in $(seq 100); do
    local kids
    kids=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
    set -- "$1" "${2:-1}"
    if [ "$(wc -w <<<"$kids")" -ge "$2" ]; then
      awk -v n="$2" '{ print $n }' <<<"$kids"
      return
    fi
    sleep 0.1
  done
}

# hold says READY and waits for the end.
hold() {
  echo READY
  read -r -t "${seconds%.*}" _ || true
  exit 0
}
