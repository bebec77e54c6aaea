const app = require('fastify')()
app.addContentTypeParser('*', (req, body, done) => body.resume().on('end', () => done(null)))
app.get('/', async () => 'ok')
app.post('/', async () => 'ok')
app.get('/slow', () => new Promise((r) => setTimeout(r, 2000, 'ok')))
app.post('/read', async () => 'ok') // the body is read before
app.listen({ port: process.env.PORT, host: '127.0.0.1' })
