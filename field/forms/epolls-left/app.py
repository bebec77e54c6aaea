import asyncio

import form


async def call():
    await asyncio.sleep(0.01)


def work():
    loops = []
    for _ in form.every(0.4):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(call())
        if form.leaking:
            loops.append(loop)
        else:
            loop.close()


form.role('app', work)
form.ready()
