import os, sys, httplib2

method, payload = os.environ["SOCKETLAB_METHOD"], "body" if os.environ["SOCKETLAB_METHOD"] == "POST" else None
shared = httplib2.Http()


def call(url):
    return shared.request(url, method, payload)[0].status


for line in sys.stdin:
    number, url = line.split()
    try:
        status = call(url)
        how = "ok" if status < 400 else f"HTTP_{status}"
    except Exception as e:
        how = type(e).__name__
    print(number, how, flush=True)
