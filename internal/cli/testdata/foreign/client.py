# A client as people write them, in one of several ways.
#
#   client.py WAY ADDRESS PORT
import socket
import sys
import time

way, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
url = f"http://{host}:{port}/"
kept = []


def requests_plain():
    import requests

    while True:
        requests.get(url + "small").raise_for_status()
        time.sleep(0.05)


def requests_session():
    import requests

    with requests.Session() as session:
        while True:
            session.get(url + "small").raise_for_status()
            time.sleep(0.05)


def urllib3_pool_per_request():
    import urllib3

    while True:
        pool = urllib3.PoolManager()
        pool.request("GET", url + "small")
        kept.append(pool)
        time.sleep(0.1)


def urllib3_shared_pool():
    import urllib3

    pool = urllib3.PoolManager()
    while True:
        pool.request("GET", url + "small")
        time.sleep(0.05)


def urllib3_body_not_read():
    import urllib3

    pool = urllib3.PoolManager()
    while True:
        kept.append(pool.request("GET", url + "large", preload_content=False))
        time.sleep(0.1)


def urllib3_body_read():
    import urllib3

    pool = urllib3.PoolManager()
    while True:
        answer = pool.request("GET", url + "large", preload_content=False)
        answer.read()
        answer.release_conn()
        time.sleep(0.05)


def never_closed():
    while True:
        c = socket.create_connection((host, port))
        c.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        c.recv(65536)
        kept.append(c)
        time.sleep(0.1)


def redis_connection_per_command():
    while True:
        c = socket.create_connection((host, port))
        c.sendall(b"PING\r\n")
        c.recv(100)
        kept.append(c)
        time.sleep(0.1)


def redis_one_connection():
    c = socket.create_connection((host, port))
    while True:
        c.sendall(b"PING\r\n")
        c.recv(100)
        time.sleep(0.05)


def no_answer():
    while True:
        c = socket.create_connection((host, port))
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        kept.append(c)
        time.sleep(1)


globals()[way]()
