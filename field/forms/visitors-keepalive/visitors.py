import select
import socket
import sys
import time

live = []
while True:
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    s.recv(4096)
    live.append(s)
    time.sleep(0.4)
    for s in select.select(live, [], [], 0)[0]:
        s.close()
        live.remove(s)
