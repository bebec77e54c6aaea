run lambda { |env|
  sleep 2 if env['PATH_INFO'] == '/slow'
  env['rack.input'].read if env['PATH_INFO'] == '/read'
  [200, { 'Content-Type' => 'text/plain', 'Content-Length' => '2' }, ['ok']]
}
