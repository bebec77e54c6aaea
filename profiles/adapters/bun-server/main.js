Bun.serve({
  port: process.env.PORT, hostname: '127.0.0.1',
  async fetch(req) {
    const path = new URL(req.url).pathname
    if (path === '/slow') await Bun.sleep(2000)
    if (path === '/read') await req.text()
    return new Response('ok')
  },
})
