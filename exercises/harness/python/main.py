"""The program around your client: it makes the requests that sockwatch asks for.

A line of its input is one to make now, "17 http://127.0.0.1:40001/". It says how each
ended: "17 ok", or "17" and the error. First it says "ready".
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from client import Client


def make(number):
    try:
        client.call()
        outcome = "ok"
    except BaseException as e:
        outcome = repr(e)  # with its causes, in one line
    print(f"{number} {outcome}\n", end="", flush=True, file=answers)


client, threads = None, ThreadPoolExecutor(400)
answers, sys.stdout = sys.stdout, sys.stderr  # what the client prints is no answer
print("ready", flush=True, file=answers)
for line in sys.stdin:
    number, url = line.split()
    client = client or Client(url)
    threads.submit(make, number)
os._exit(0)  # also while a request never ends
