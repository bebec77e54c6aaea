"""A client that says with its FIN that its request is complete."""
import socket

import form

kept = []


def serve(c):
    while c.recv(100):
        pass
    if form.leaking:
        kept.append(c)
        return
    c.sendall(b'thanks\n')
    c.close()


def client(port):
    for _ in form.every(0.4):
        s = form.connect(port)
        s.sendall(b'request\n')
        s.shutdown(socket.SHUT_WR)
        if form.leaking:
            kept.append(s)
        else:
            while s.recv(100):
                pass
            s.close()


form.role('app', client, form.server('server', serve))
form.ready()
