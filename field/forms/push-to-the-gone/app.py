import socket
import time

import form

TCP_REPAIR, TCP_USER_TIMEOUT = 19, 18


def serve(c):
    if not form.leaking:
        c.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 8000)
    c.recv(1000)
    while True:
        c.sendall(b'data: x\n\n')
        time.sleep(5)


def one(c):
    try:
        serve(c)
    except OSError:
        c.close()


def viewers(port):
    for _ in form.every(0.5):
        s = form.connect(port)
        s.sendall(b'GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
        s.recv(1000)
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        s.close()


form.role('viewers', viewers, form.server('app', one))
form.ready()
