import http.client
import sys
import time

c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
while True:
    c.request('GET', '/')
    c.getresponse().read()
    time.sleep(0.05)
