import select
import socket
import sys
import time

pages = []
while True:
    if pages and sys.argv[1] == 'healthy':
        pages.pop().close()
    s = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
    s.sendall(b'GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    s.recv(4096)
    pages.append(s)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        for p in select.select(pages, [], [], max(0, end - time.monotonic()))[0]:
            p.recv(4096)
