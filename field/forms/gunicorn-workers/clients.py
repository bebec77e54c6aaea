import sys
import time
import urllib.request

while True:
    urllib.request.urlopen('http://127.0.0.1:%s/' % sys.argv[1]).read()
    time.sleep(0.4)
