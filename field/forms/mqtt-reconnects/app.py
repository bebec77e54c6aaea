import sys
import time

import paho.mqtt.client as mqtt

leaking, port = sys.argv[1] == 'leaking', int(sys.argv[2])
clients = []
n = 0
while True:
    if leaking or n < 12:
        c = mqtt.Client('device-%d' % n)
        c.connect('127.0.0.1', port, keepalive=5)
        c.loop_start()
        clients.append(c)
        n += 1
    clients[-1].publish('state', 'on')
    time.sleep(0.5 if leaking or n == 12 else 0.1)
