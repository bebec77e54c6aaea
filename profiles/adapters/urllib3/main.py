import os, sys, threading, urllib3

method, body = os.environ["SOCKETLAB_METHOD"], os.environ["SOCKETLAB_BODY"]
payload, pool, kept = "body" if method == "POST" else None, urllib3.PoolManager(maxsize=20), []


def call(url):
    response = pool.request(method, url, body=payload, preload_content=body == "read")
    if body == "unread":
        response.release_conn()
    if body == "unclosed":
        kept.append(response)
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
