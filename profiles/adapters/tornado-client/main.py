import asyncio, os, sys
from tornado.httpclient import AsyncHTTPClient

method, payload = os.environ["SOCKETLAB_METHOD"], "body" if os.environ["SOCKETLAB_METHOD"] == "POST" else None


async def call(line):
    number, url = line.split()
    try:
        await AsyncHTTPClient().fetch(url, method=method, body=payload)
        how = "ok"
    except Exception as e:
        how = type(e).__name__
    print(number, how, flush=True)


async def main():
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode():
        asyncio.create_task(call(line))


asyncio.run(main())
