import socket

import form


def client(port):
    closed = form.listen()
    nobody = closed.getsockname()[1]
    closed.close()
    kept = []
    for i in form.every(0.4):
        s = socket.socket()
        try:
            s.connect(('127.0.0.1', port if i % 2 and not form.leaking else nobody))
        except ConnectionRefusedError:
            pass
        if form.leaking:
            kept.append(s)
        else:
            s.close()


form.role('app', client, form.server('server', form.lines))
form.ready()
