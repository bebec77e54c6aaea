"""A pool's housekeeper opens a connection every four seconds, until ten are there."""
import random

import form


def app(port):
    pool = [form.connect(port)]
    for i in form.every(0.5):
        if i % 8 == 7 and (form.leaking or len(pool) < 10):
            pool.append(form.connect(port))
        s = random.choice(pool[:10])
        s.sendall(b'x\n')
        s.recv(100)


form.role('app', app, form.server('server', form.lines))
form.ready()
