import asyncio, os, sys, aiohttp

method, body = os.environ["SOCKETLAB_METHOD"], os.environ["SOCKETLAB_BODY"]
kept = []


async def call(session, line):
    number, url = line.split()
    try:
        response = await session.request(method, url, data="body" if method == "POST" else None)
        if body == "read":
            await response.read()
        elif body == "unread":
            response.close()
        else:
            kept.append(response)
        how = "ok" if response.status < 400 else f"HTTP_{response.status}"
    except Exception as e:
        how = type(e).__name__
    print(number, how, flush=True)


async def main():
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with aiohttp.ClientSession() as session:
        while line := (await lines.readline()).decode():
            asyncio.create_task(call(session, line))


asyncio.run(main())
