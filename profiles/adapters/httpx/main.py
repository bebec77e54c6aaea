import os, sys, threading, httpx

method, client = os.environ["SOCKETLAB_METHOD"], os.environ["SOCKETLAB_CLIENT"]
shared, kept = httpx.Client(follow_redirects=True), []


def call(url):
    session = shared if client == "shared" else httpx.Client(follow_redirects=True)
    status = session.request(method, url, content="body" if method == "POST" else None).status_code
    if client == "closed":
        session.close()
    if client == "new":
        kept.append(session)
    return status


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
