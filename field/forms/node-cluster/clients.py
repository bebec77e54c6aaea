"""Four visitors with a connection each."""
import http.client
import sys
import time

visitors = [http.client.HTTPConnection('127.0.0.1', int(sys.argv[1])) for _ in range(4)]
while True:
    for v in visitors:
        v.request('GET', '/')
        v.getresponse().read()
        time.sleep(0.3)
