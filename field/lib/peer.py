"""Servers that forms in other languages talk to: peer.py KIND PORT [ARGUMENT]."""
import socketserver
import sys
import threading
import time

sys.argv, (kind, port, *rest) = sys.argv[:1], sys.argv[1:]
import form  # noqa: E402

argument = float(rest[0]) if rest else None


def smtp(c):
    f = c.makefile('rwb')
    f.write(b'220 ready\r\n')
    f.flush()
    for line in f:
        quit = line.upper().startswith(b'QUIT')
        data = line.upper().startswith(b'DATA')
        f.write(b'221 bye\r\n' if quit else b'354 go on\r\n' if data else b'250 ok\r\n')
        f.flush()
        if data:
            while f.readline() not in (b'.\r\n', b''):
                pass
            f.write(b'250 queued\r\n')
            f.flush()
        if quit:
            break
    f.close()
    c.close()


def push(c):
    """Answers the first request with a stream of events, until the client leaves."""
    c.recv(65536)
    c.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
    while True:
        c.sendall(b'data: x\n\n')
        time.sleep(argument or 1)


kinds = {
    'http': form.http(idle=argument),                 # idle connections end after ARGUMENT seconds
    'slow-http': form.http(delay=argument or 1),      # each response takes ARGUMENT seconds
    'big-http': form.http(body=b'x' * 300000),
    'lines': form.lines,
    'silent': form.drain,                             # reads and never answers
    'smtp': smtp,
    'push': push,
}
form.accept(form.listen(int(port)), kinds[kind])
