"""Each reads the greeting and is gone without a word: TCP_REPAIR closes silently."""
import socket
import sys
import time

port = 20000 # one after the other: the server still has each that was used before
while True:
    port += 1
    s = socket.create_connection(('10.77.0.1', int(sys.argv[1])), source_address=('10.77.0.2', port))
    s.sendall(b'GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
    s.recv(999)
    s.setsockopt(socket.IPPROTO_TCP, 19, 1)
    s.close()
    time.sleep(0.4)
