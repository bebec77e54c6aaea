import socket
import sys
import time

while True:
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    s.sendall(b'hello\n')
    s.recv(100)
    s.close()
    time.sleep(0.4)
