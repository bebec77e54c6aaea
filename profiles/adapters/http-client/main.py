import http.client, os, sys

method, payload = os.environ["SOCKETLAB_METHOD"], "body" if os.environ["SOCKETLAB_METHOD"] == "POST" else None
connection = http.client.HTTPConnection(os.environ["SOCKETLAB_ADDR"])


def call(url):
    try:
        connection.request(method, "/", payload)
        response = connection.getresponse()
        response.read()
        return response.status
    except Exception:
        connection.close()
        raise


for line in sys.stdin:
    number, url = line.split()
    try:
        status = call(url)
        how = "ok" if status < 400 else f"HTTP_{status}"
    except Exception as e:
        how = type(e).__name__
    print(number, how, flush=True)
