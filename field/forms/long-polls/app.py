"""Long polls: a response comes when something happens, or after 25 seconds."""
import threading
import time

import form

waiting = []


def poll(c):
    while True:
        if not c.recv(1000):
            c.close()
            return
        if form.leaking:
            waiting.append(c)  # for the event that will answer it
            return
        time.sleep(25)
        c.sendall(b'HTTP/1.1 204 No Content\r\n\r\n')


def clients(port):
    def one(i):
        s = None
        time.sleep(i * 0.1)
        while True:
            s = s or form.connect(port, timeout=2 if form.leaking else None)
            s.sendall(b'GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
            try:
                s.recv(1000)
            except TimeoutError:
                s.close()
                s = None
                time.sleep(8)
    for i in range(20):
        threading.Thread(target=one, args=(i,), daemon=True).start()
    form.forever()


form.role('clients', clients, form.server('app', poll))
form.ready()
