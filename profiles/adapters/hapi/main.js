const server = require('@hapi/hapi').server({ port: process.env.PORT, host: '127.0.0.1' })
server.route({ method: '*', path: '/', handler: () => 'ok' })
server.route({ method: 'GET', path: '/slow', handler: () => new Promise((r) => setTimeout(r, 2000, 'ok')) })
server.route({ method: 'POST', path: '/read', options: { payload: { parse: false } }, handler: () => 'ok' }) // the body is read before
server.start()
