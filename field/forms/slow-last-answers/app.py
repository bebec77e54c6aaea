"""A server takes ten seconds to finish after its client has closed."""
import time

import form


def serve(say):
    l = form.listen()
    say(l.getsockname()[1])
    visits, kept = [0], []

    def handle(c):
        visits[0] += 1
        mine = visits[0]
        while c.recv(4096):
            c.sendall(b'ok\n')
        time.sleep(10)
        if form.leaking and mine % 3 == 0:
            kept.append(c)
        else:
            c.close()
    form.accept(l, handle)


def clients(port):
    for _ in form.every(0.9):
        s = form.connect(port)
        s.sendall(b'x\n')
        s.recv(100)
        s.close()


port = form.served('app', serve)
form.role('clients', clients, port)
form.ready()
