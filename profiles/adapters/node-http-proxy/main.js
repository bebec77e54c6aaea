const http = require('node:http')
const proxy = require('http-proxy').createProxyServer({
  target: 'http://' + process.env.SOCKETLAB_BACKEND, agent: new http.Agent({ keepAlive: true }),
})
proxy.on('error', (err, req, res) => { res.writeHead(502); res.end() })
http.createServer((req, res) => proxy.web(req, res)).listen(process.env.PORT, '127.0.0.1')
