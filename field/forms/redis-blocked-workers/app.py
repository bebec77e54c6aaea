import sys
import threading
import time

import redis

port = int(sys.argv[2])


def worker():
    r = redis.Redis(port=port)
    while True:
        r.blpop('jobs')


for n in range(100000):
    if sys.argv[1] == 'leaking' or n < 10:
        threading.Thread(target=worker, daemon=True).start()
    if n >= 10:
        time.sleep(1)
    if n % 20 == 19:
        redis.Redis(port=port).rpush('jobs', 'x')
