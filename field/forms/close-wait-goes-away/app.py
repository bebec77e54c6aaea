import socket

import form

kept = []


def serve(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 6)
    c.recv(100)
    c.sendall(b'ok\n')
    c.recv(100)
    if form.leaking:
        kept.append(c)
    else:
        c.close()


def clients(port):
    for _ in form.every(0.3):
        s = form.connect(port)
        s.sendall(b'hello\n')
        s.recv(100)
        s.close()


form.role('clients', clients, form.server('app', serve))
form.ready()
