"""Forty clients of a server, in one process; each says something once a second."""
import form

left = []


def clients(port):
    live = []
    for i in form.every(1):
        if len(live) < 40:
            live.append(form.connect(port))
        elif form.leaking:
            left.append(live[i % 40])
            live[i % 40] = form.connect(port)
        if form.leaking and i == 0:
            live += [form.connect(port) for _ in range(39)]
        for s in live:
            s.sendall(b'here\n')
            s.recv(100)


form.role('clients', clients, form.server('app', form.lines))
form.ready()
