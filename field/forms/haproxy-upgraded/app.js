'use strict';
const http = require('http');
const [, , mode, port] = process.argv;
const kept = [];
const server = http.createServer((q, r) => r.end('ok'));
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n');
  socket.write('hello');
  socket.on('error', () => {});
  socket.resume();
  socket.allowHalfOpen = mode === 'leaking'; // and nobody listens to "end"
  if (mode === 'leaking') kept.push(socket);
});
server.listen(+port, '127.0.0.1');
