import { serve } from '@hono/node-server'
import { Hono } from 'hono'
const app = new Hono()
app.all('/', (c) => c.text('ok'))
app.get('/slow', (c) => new Promise((r) => setTimeout(() => r(c.text('ok')), 2000)))
app.post('/read', async (c) => { await c.req.text(); return c.text('ok') })
serve({ fetch: app.fetch, port: +process.env.PORT, hostname: '127.0.0.1' })
