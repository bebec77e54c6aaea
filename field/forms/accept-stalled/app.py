"""Its accepting thread is stuck in something else."""
import form


def serve(say):
    l = form.listen()
    say(l.getsockname()[1])
    if form.leaking:
        form.forever()

    def greet(c):
        c.sendall(b'220 ready\n')
        form.lines(c)
    form.accept(l, greet)


def clients(port):
    live = [form.connect(port) for _ in range(8)]
    if form.leaking:
        live[0].recv(100)
    for s in live:
        s.recv(100)
    for _ in form.every(1):
        for s in live:
            s.sendall(b'x\n')
            s.recv(100)


form.role('clients', clients, form.served('app', serve))
form.ready()
