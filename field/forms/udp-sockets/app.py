"""Sends a measurement by UDP now and then, as a statsd client does."""
import socket

import form


def collector(say):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 0))
    say(s.getsockname()[1])
    while True:
        s.recv(2000)


def sender(port):
    kept = []
    for i in form.every(0.4):
        if form.leaking or i == 0:
            kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            kept[-1].connect(('127.0.0.1', port))
        kept[-1].send(b'requests:1|c')


form.role('app', sender, form.served('collector', collector))
form.ready()
