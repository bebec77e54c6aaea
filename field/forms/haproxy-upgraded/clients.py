import socket
import sys
import time

visits = []
while True:
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    s.sendall(b'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n')
    s.recv(4096)
    visits.append(s)
    if len(visits) > 2:
        visits.pop(0).close()
    time.sleep(0.4)
