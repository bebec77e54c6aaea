import time

import form


def client(port):
    left = []
    for _ in form.every(8):
        burst = [form.connect(port) for _ in range(30)]
        for s in burst:
            s.sendall(b'x\n')
            s.recv(100)
        time.sleep(3)
        if form.leaking:
            left += [burst.pop() for _ in range(3)]
        for s in burst:
            s.close()


form.role('app', client, form.server('server', form.lines))
form.ready()
