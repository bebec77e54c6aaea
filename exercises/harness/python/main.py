"""The program around your client. You need not change it, and "check" uses its own copy.

It reads lines such as "17 http://127.0.0.1:40001/", makes a request for each,
and writes "17 ok", or "17" and the name of an error. First it writes "ready".
"""

import os
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

from client import Client

# Requests in progress at once. Threads are started when they are needed.
THREADS = 400

writing = threading.Lock()


def answer(number, text):
    with writing:
        sys.stdout.write(f"{number} {text}\n")
        sys.stdout.flush()


def make(client, number):
    try:
        client.call()
    except Exception as e:
        answer(number, name(e))
    else:
        answer(number, "ok")


def name(error):
    """Says in one word how a request ended. The cause is often wrapped several times."""
    while error is not None:
        if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
            return "timeout"
        if isinstance(error, ConnectionRefusedError):
            return "refused"
        if isinstance(error, ConnectionResetError):
            return "reset"
        if isinstance(error, OSError) and error.errno == 24:  # EMFILE
            return "too_many_open_files"
        error = error.__cause__ or error.__context__
    return "other"


def main():
    client = None
    print("ready", flush=True)
    threads = ThreadPoolExecutor(THREADS)
    for line in sys.stdin:
        number, _, url = line.strip().partition(" ")
        if not number:
            continue
        if client is None:
            client = Client(url)
        threads.submit(make, client, number)


try:
    main()
except Exception:
    traceback.print_exc()
    os._exit(1)
os._exit(0)  # also while a request never ends
