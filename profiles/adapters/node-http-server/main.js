require('node:http').createServer((req, res) => {
  if (req.url === '/slow') return setTimeout(() => res.end('ok'), 2000)
  if (req.url === '/read') return req.resume().on('end', () => res.end('ok'))
  res.end('ok')
}).listen(process.env.PORT, '127.0.0.1')
