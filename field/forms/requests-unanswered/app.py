"""Twelve workers ask over a connection each, without a timeout."""
import threading

import form


def client(port):
    def ask():
        s = form.connect(port)
        while True:
            form.http_request(s)
    for _ in range(12):
        threading.Thread(target=ask, daemon=True).start()
    form.forever()


form.role('app', client, form.server('server', form.drain if form.leaking else form.http(delay=2)))
form.ready()
