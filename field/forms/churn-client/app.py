"""urllib opens a connection a request; http.client keeps the one it has."""
import http.client
import urllib.request

import form


def client(port):
    kept = http.client.HTTPConnection('127.0.0.1', port)
    for _ in form.every(0.1):
        if form.leaking:
            with urllib.request.urlopen('http://127.0.0.1:%d/' % port) as r:
                r.read()
        else:
            kept.request('GET', '/')
            kept.getresponse().read()


form.role('app', client, form.server('server', form.http()))
form.ready()
