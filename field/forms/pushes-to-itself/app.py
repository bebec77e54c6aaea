"""A process with subscribers of its own: each gets a byte a second."""
import threading
import time

import form


def work():
    l, pairs = form.listen(), []

    def push():
        while True:
            for client, server in list(pairs):
                server.send(b'x')
                client.recv(9)
            time.sleep(1)
    threading.Thread(target=push, daemon=True).start()
    for i in form.every(0.4):
        if form.leaking or i < 8:
            client = form.connect(l.getsockname()[1])
            pairs.append((client, l.accept()[0]))


form.role('app', work)
form.ready()
