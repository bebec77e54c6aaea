import sys
import time

import pika

leaking, port = sys.argv[1] == 'leaking', int(sys.argv[2])
connections = []
n = 0
while True:
    if leaking or len(connections) < 10:
        connections.append(pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', port, heartbeat=5)))
    n += 1
    connections[n % len(connections)].channel().basic_publish('', 'nowhere', b'x')
    end = time.monotonic() + 0.5
    for c in connections:
        c.process_data_events(0)
    time.sleep(max(0, end - time.monotonic()))
