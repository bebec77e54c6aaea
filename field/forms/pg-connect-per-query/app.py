import sys
import time

import psycopg2

leaking, port = sys.argv[1] == 'leaking', int(sys.argv[2])
connections = []
while True:
    if leaking or not connections:
        connections.append(psycopg2.connect(host='127.0.0.1', port=port, user='postgres', dbname='postgres'))
    with connections[-1] as c, c.cursor() as cursor:
        cursor.execute('select 1')
        cursor.fetchone()
    time.sleep(0.5)
