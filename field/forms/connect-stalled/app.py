"""Asks ten servers' worth of work of one that accepts nothing."""
import threading
import time

import form


def serve(say):
    l = form.listen(backlog=0 if form.leaking else 128)
    say(l.getsockname()[1])
    if form.leaking:
        form.forever()
    form.accept(l, form.lines)


def client(port):
    def ask():
        while True:
            try:
                s = form.connect(port, timeout=10)
                s.sendall(b'x\n')
                s.recv(100)
                s.close()
            except OSError:
                pass
            time.sleep(1)
    for _ in range(8):
        threading.Thread(target=ask, daemon=True).start()
    form.forever()


form.role('app', client, form.served('server', serve))
form.ready()
