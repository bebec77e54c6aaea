const Koa = require('koa')
const { once } = require('node:events')
const { setTimeout } = require('node:timers/promises')
new Koa().use(async (ctx) => {
  if (ctx.path === '/slow') await setTimeout(2000)
  if (ctx.path === '/read') await once(ctx.req.resume(), 'end')
  ctx.body = 'ok'
}).listen(process.env.PORT, '127.0.0.1')
