const { serve } = require('micro')

const app = async (req) => {
  if (req.url === '/slow') await new Promise((done) => setTimeout(done, 2000))
  if (req.url === '/read') await req.resume().toArray()
  return 'ok'
}
require('http').createServer(serve(app)).listen(process.env.PORT, '127.0.0.1')
