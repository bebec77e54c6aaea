"""As mail is handed in: a greeting, some commands, and a goodbye."""
import threading
import time

import form


def serve(c):
    if form.leaking:
        c.settimeout(5)
    try:
        while command := c.recv(100):
            c.sendall(b'250 ok\r\n')
            if command.startswith(b'QUIT'):
                break
    except TimeoutError:
        pass
    c.close()


def ask(s, command):
    s.sendall(command + b'\r\n')
    s.recv(100)


def session(port):
    s = form.connect(port)
    ask(s, b'MAIL')
    if not form.leaking:
        for command, rest in (b'RCPT', 2), (b'DATA', 2), (b'QUIT', 0.5):
            time.sleep(rest)
            ask(s, command)
    s.recv(100)
    s.close()


def app(port):
    for _ in form.every(1):
        threading.Thread(target=session, args=(port,)).start()


form.role('app', app, form.server('server', serve))
form.ready()
