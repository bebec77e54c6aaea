const server = require('restify').createServer()
const ok = (req, res, next) => { res.send('ok'); next() }
server.get('/', ok)
server.post('/', ok)
server.get('/slow', (req, res, next) => setTimeout(ok, 2000, req, res, next))
server.post('/read', (req, res, next) => req.resume().on('end', () => ok(req, res, next)))
server.listen(process.env.PORT, '127.0.0.1')
