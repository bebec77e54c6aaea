"""A service that listens, has one client, and asks its upstream ten times a second."""
import http.client

import form


def service(say, upstream):
    l = form.listen()
    say(l.getsockname()[1])
    visitor, _ = l.accept()
    kept = http.client.HTTPConnection('127.0.0.1', upstream)
    for _ in form.every(0.1):
        c = http.client.HTTPConnection('127.0.0.1', upstream) if form.leaking else kept
        c.request('GET', '/')
        c.getresponse().read()
        if form.leaking:
            c.close()


def visitor(port):
    s = form.connect(port)
    form.forever()


upstream = form.server('upstream', form.http())
port = form.served('app', service, upstream)
form.role('visitor', visitor, port)
form.ready()
