"""The peer hangs up first; the program shuts down what is left."""
import socket
import time

import form


def greet(c):
    c.sendall(b'bye\n')
    c.close()


def work(port):
    kept = []
    for _ in form.every(0.4):
        s = form.connect(port)
        while s.recv(100):
            pass
        time.sleep(0.02)
        s.shutdown(socket.SHUT_RDWR)
        if form.leaking:
            kept.append(s)
        else:
            s.close()


form.role('app', work, form.server('server', greet))
form.ready()
