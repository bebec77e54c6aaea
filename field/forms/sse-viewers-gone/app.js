'use strict';
const http = require('http');
const subscribers = new Set();
http.createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: hello\n\n');
  subscribers.add(response);
  request.on('close', () => subscribers.delete(response));
  if (process.argv[2] === 'healthy') request.socket.setKeepAlive(true, 2000);
}).listen(+process.argv[3], '0.0.0.0');
