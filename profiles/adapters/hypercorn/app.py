import asyncio

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"] == "/slow":
        await asyncio.sleep(2)
    if scope["method"] == "GET":  # hypercorn closes a connection whose request the app did not take
        await receive()
    while scope["path"] == "/read" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
