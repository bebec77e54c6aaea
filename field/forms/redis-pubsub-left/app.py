import sys
import threading
import time

import redis

leaking, port = sys.argv[1] == 'leaking', int(sys.argv[2])
r = redis.Redis(port=port)


def publish():
    while True:
        r.publish('news', 'x')
        time.sleep(1)


threading.Thread(target=publish, daemon=True).start()
kept = []
while True:
    s = r.pubsub()
    s.subscribe('news')
    s.get_message(timeout=0.05)
    if leaking:
        kept.append(s)
    else:
        s.close()
    for k in kept:
        while k.get_message():
            pass
    time.sleep(0.25)
