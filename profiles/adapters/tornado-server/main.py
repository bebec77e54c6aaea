import asyncio, os
import tornado.web

class Main(tornado.web.RequestHandler):
    async def get(self):
        if self.request.path == "/slow":
            await asyncio.sleep(2)
        self.write("ok")
    post = get  # the body is read before

async def main():
    tornado.web.Application([(".*", Main)]).listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(main())
