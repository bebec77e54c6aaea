import sys
import threading
import time

import psycopg2
import psycopg2.pool

leaking, port = sys.argv[1] == 'leaking', int(sys.argv[2])
pool = psycopg2.pool.ThreadedConnectionPool(8, 8, host='127.0.0.1', port=port, user='postgres', dbname='postgres')


def work(n):
    for i in range(1000000):
        try:
            c = pool.getconn()
        except psycopg2.pool.PoolError:
            time.sleep(1)
            continue
        with c.cursor() as cursor:
            cursor.execute('select pg_sleep(0.01)')
        if leaking and i == n:
            continue  # as an exception would leave it
        c.commit()
        pool.putconn(c)
        time.sleep(2)


for n in range(8):
    threading.Thread(target=work, args=(n,), daemon=True).start()
threading.Event().wait()
