"""Forty threads want one of ten connections for a query each."""
import queue
import threading
import time

import form


def work(port):
    pool = queue.Queue()
    for _ in range(10):
        pool.put(form.connect(port))
    held = []

    def query():
        while True:
            s = pool.get()
            s.sendall(b'query\n')
            s.recv(100)
            if form.leaking:
                held.append(s)
            else:
                pool.put(s)
            time.sleep(1)
    for _ in range(40):
        threading.Thread(target=query, daemon=True).start()
    form.forever()


form.role('app', work, form.server('server', form.lines))
form.ready()
