import os, sys, threading, urllib.request

method, payload = os.environ["SOCKETLAB_METHOD"], b"body" if os.environ["SOCKETLAB_METHOD"] == "POST" else None


def call(url):
    with urllib.request.urlopen(url, payload) as response:
        response.read()
        return response.status


def run(line):
    number, url = line.split()
    try:
        status = call(url)
        how = "ok" if status < 400 else f"HTTP_{status}"
    except Exception as e:
        how = type(e).__name__
    sys.stdout.write(f"{number} {how}\n")
    sys.stdout.flush()


for line in sys.stdin:
    threading.Thread(target=run, args=(line,)).start()
