. "$FORM_LIB/form.sh"
port=$(freeport)
mkdir -p "$tmp/empty" "$tmp/ftp"
cat >"$tmp/vsftpd.conf" <<C
listen=YES
listen_address=127.0.0.1
listen_port=$port
background=NO
anonymous_enable=YES
anon_root=$tmp/ftp
secure_chroot_dir=$tmp/empty
xferlog_enable=NO
max_clients=0
max_per_ip=0
C
chown root "$tmp/vsftpd.conf"
role vsftpd vsftpd "$tmp/vsftpd.conf"
listens vsftpd "$port"
role app python3 app.py "$mode" "$port"
hold
