"""A small FTP server, and a client with one control connection."""
import re

import form

left = []


def serve(c):
    f = c.makefile('rwb', buffering=0)
    f.write(b'220 ready\r\n')
    passive = None
    for line in f:
        verb = line.split()[0].upper()
        if verb == b'EPSV':
            if passive and not form.leaking:
                passive.close()
            passive = form.listen()
            left.append(passive)
            f.write(b'229 Entering Extended Passive Mode (|||%d|)\r\n' % passive.getsockname()[1])
        elif verb == b'STOR':
            f.write(b'550 Permission denied\r\n')
            if not form.leaking:
                passive.close()
                left.clear()
        elif verb == b'LIST':
            f.write(b'150 Here it comes\r\n')
            data, _ = passive.accept()
            data.sendall(b'a.txt\r\n')
            data.close()
            passive.close()
            left.clear()
            f.write(b'226 Done\r\n')
        else:
            f.write(b'230 Welcome\r\n')


def client(port):
    f = form.connect(port).makefile('rwb', buffering=0)

    def command(line):
        f.write(line + b'\r\n')
        return f.readline()
    f.readline()
    command(b'USER anonymous')
    for _ in form.every(0.4):
        data = int(re.search(rb'\|\|\|(\d+)\|', command(b'EPSV')).group(1))
        if form.leaking:
            command(b'STOR a.txt')
        else:
            d = form.connect(data)
            command(b'LIST')
            while d.recv(999):
                pass
            d.close()
            f.readline()


form.role('client', client, form.server('app', serve))
form.ready()
