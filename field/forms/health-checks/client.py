import socket
import sys
import time

c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
while True:
    c.sendall(b'PING\r\n')
    c.recv(99)
    time.sleep(0.3)
