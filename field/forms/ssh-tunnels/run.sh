. "$FORM_LIB/form.sh"
port=$(freeport)
ssh-keygen -q -t ed25519 -N '' -f "$tmp/host"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/key"
mkdir -p /run/sshd
cat >"$tmp/sshd_config" <<C
ListenAddress 127.0.0.1:$port
HostKey $tmp/host
AuthorizedKeysFile $tmp/key.pub
PidFile none
StrictModes no
UsePAM no
MaxStartups 100
C
role sshd "$(command -v sshd)" -D -e -f "$tmp/sshd_config"
listens sshd "$port"
role app bash app.sh "$mode" "$port" "$tmp/key"
hold
