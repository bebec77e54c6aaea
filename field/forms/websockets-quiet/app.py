import form


def serve(c):
    c.recv(4096)
    c.sendall(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    form.drain(c)


def clients(port):
    tabs = []
    for i in form.every(0.4):
        while form.leaking and len(tabs) <= i or not form.leaking and len(tabs) < 40:
            s = form.connect(port)
            s.sendall(b'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
            s.recv(4096)
            tabs.append(s)


form.role('clients', clients, form.server('app', serve))
form.ready()
