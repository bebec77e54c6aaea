"""A service forks workers one after the other; each connects to a server at once, and
waits there for what may come."""
import os
import time

import form


def work(port):
    s = form.connect(port)
    s.recv(10)
    if form.leaking:  # each worker has forked a helper, which keeps the connection
        form.fork(form.forever)
        s.close()
        form.forever()
    while s.recv(10):
        pass


def service(port):
    for _ in range(10):
        form.fork(work, port)
        time.sleep(0.7)
    form.forever()


def greet(c):
    c.sendall(b'hello\n')
    form.drain(c)


form.role('app', service, form.server('server', greet))
form.ready()
