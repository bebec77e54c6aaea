"""Clients send a job a connection, read the answer and close."""
import form

kept = []


def job(c):
    c.recv(100)
    c.sendall(b'done\n')
    c.recv(100)  # the client's close
    if form.leaking:
        kept.append(c)
    else:
        c.close()


def clients(port):
    for _ in form.every(0.4):
        s = form.connect(port)
        s.sendall(b'job\n')
        s.recv(100)
        s.close()


port = form.server('app', job)
form.role('clients', clients, port)
form.ready()
