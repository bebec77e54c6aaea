import os, sys, threading, requests

method, body = os.environ["SOCKETLAB_METHOD"], os.environ["SOCKETLAB_BODY"]
client, payload = os.environ["SOCKETLAB_CLIENT"], "body" if method == "POST" else None
shared, kept = requests.Session(), []


def call(url):
    session = shared if client == "shared" else requests.Session()
    response = session.request(method, url, data=payload, stream=body != "read")
    if body == "unread":
        response.close()
    if body == "unclosed":
        kept.append(response)
    if client == "closed":
        session.close()
    if client == "new":
        kept.append(session)
    return response.status_code


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
