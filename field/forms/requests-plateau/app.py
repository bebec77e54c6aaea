import sys
import time

import requests

sessions = [requests.Session()]
while True:
    if sys.argv[1] == 'leaking':
        sessions.append(requests.Session())
    sessions[-1].get('http://127.0.0.1:%s/' % sys.argv[2])
    time.sleep(0.8)
