import asyncio, os
from aiohttp import web

async def handle(request):
    if request.path == "/slow":
        await asyncio.sleep(2)
    if request.path == "/read":
        await request.read()
    return web.Response(text="ok")

app = web.Application()
app.router.add_route("*", "/{path:.*}", handle)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
