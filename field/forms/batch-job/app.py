import time

import form


def ask(s):
    s.sendall(b'part\n')
    s.recv(100)


def job(port):
    if form.leaking:
        left = []
        for _ in form.every(5):
            parts = [form.connect(port) for _ in range(10)]
            for s in parts:
                ask(s)
            time.sleep(2)
            for s in parts[:7]:
                s.close()
            left += parts[7:]
    parts = []
    for i in form.every(0.5, 80):
        if i < 40:
            parts.append(form.connect(port))
        for s in parts:
            ask(s)
    for s in parts:
        s.close()


form.role('app', job, form.server('server', form.lines))
form.ready()
