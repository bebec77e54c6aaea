"""Consumers that are slower than what they consume."""
import form

kept = []


def serve(c):
    block = b'm' * 4096
    while True:
        c.sendall(block)


def consume(port):
    readers = [form.connect(port) for _ in range(8)]
    for _ in form.every(0.5):
        for s in readers:
            s.recv(20000)
        if form.leaking:
            kept.append(readers.pop(0))
            readers.append(form.connect(port))


form.role('app', consume, form.server('server', serve))
form.ready()
