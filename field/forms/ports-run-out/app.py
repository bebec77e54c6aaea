import form


def client(port):
    s = None
    for _ in form.every(1 / 15):
        try:
            s = s or form.connect(port)
            form.http_request(s)
        except OSError:
            s = None
            continue
        if form.leaking:
            s.close()
            s = None


form.role('app', client, form.server('server', form.http()))
form.ready()
