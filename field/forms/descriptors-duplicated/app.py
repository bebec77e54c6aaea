"""A client duplicates its connection's descriptor for each of its requests."""
import os

import form


def app(port):
    s = form.connect(port)
    for _ in form.every(0.4):
        fd = os.dup(s.fileno())
        os.write(fd, b'x\n')
        s.recv(100)
        if not form.leaking:
            os.close(fd)


form.role('app', app, form.server('server', form.lines))
form.ready()
