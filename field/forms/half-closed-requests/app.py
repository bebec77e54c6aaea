"""Requests that end with a FIN, and take their time."""
import socket
import threading
import time

import form

kept = []


def serve(c):
    data = b''
    while b := c.recv(100):
        data += b
    if form.leaking and data == b'report 0\n':
        kept.append(c)
        return
    time.sleep(4)
    c.sendall(b'here it is\n')
    c.close()


def ask(port, n):
    s = form.connect(port)
    s.sendall(b'report %d\n' % (n % 4))
    s.shutdown(socket.SHUT_WR)
    while s.recv(100):
        pass
    s.close()


def client(port):
    n = 0
    for _ in form.every(0.5):
        threading.Thread(target=ask, args=(port, n)).start()
        n += 1


form.role('app', client, form.server('server', serve))
form.ready()
