"""Accepts every upgrade and pushes a message a second, until the client leaves."""
import sys
import time

sys.argv, port = sys.argv[:1], int(sys.argv[1])
import form  # noqa: E402


def push(c):
    c.recv(4096)
    c.sendall(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    c.settimeout(1)
    while True:
        c.sendall(b'\x81\x02hi')
        try:
            if not c.recv(100):
                break
        except TimeoutError:
            pass
    c.close()


form.accept(form.listen(port), push)
