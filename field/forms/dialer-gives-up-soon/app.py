"""Each attempt to connect has 400 milliseconds, and a rest after it that is twice the one before."""
import socket
import time

import form


def serve(say):
    l = form.listen(backlog=0 if form.leaking else 128)
    say(l.getsockname()[1])
    if form.leaking:
        form.forever()
    form.accept(l, form.lines)


def fill(port):
    """Takes the places in the accept queue."""
    taken = []
    for _ in range(4):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(('127.0.0.1', port))
        taken.append(s)
    form.forever()


def app(port):
    time.sleep(1)
    rest = 1
    while True:
        try:
            s = form.connect(port, timeout=0.4)
            for _ in form.every(1):
                s.sendall(b'x\n')
                s.recv(100)
        except OSError:
            time.sleep(rest)
            rest = min(8, 2 * rest)


port = form.served('server', serve)
if form.leaking:
    form.role('fill', fill, port)
form.role('app', app, port)
form.ready()
