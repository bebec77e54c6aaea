import os, sys, pycurl

shared = pycurl.Curl()
shared.setopt(pycurl.FOLLOWLOCATION, 1)
shared.setopt(pycurl.WRITEFUNCTION, len)
if os.environ["SOCKETLAB_METHOD"] == "POST":
    shared.setopt(pycurl.POSTFIELDS, "body")


def call(url):
    shared.setopt(pycurl.URL, url)
    shared.perform()
    return shared.getinfo(pycurl.RESPONSE_CODE)


for line in sys.stdin:
    number, url = line.split()
    try:
        status = call(url)
        how = "ok" if status < 400 else f"HTTP_{status}"
    except Exception as e:
        how = type(e).__name__
    print(number, how, flush=True)
