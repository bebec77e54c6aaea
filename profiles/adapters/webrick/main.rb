require 'webrick'
server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: ENV['PORT'], Logger: WEBrick::Log.new(File::NULL), AccessLog: [])
server.mount_proc('/') do |req, res|
  sleep 2 if req.path == '/slow'
  req.body if req.path == '/read'
  res.body = 'ok'
end
trap('TERM') { server.shutdown }
server.start
