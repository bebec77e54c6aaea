'use strict';
const fs = require('fs');
const http = require('http');
const [, , mode, port, log] = process.argv;
http.createServer((request, response) => {
  const fd = fs.openSync(log, 'a');
  fs.writeSync(fd, request.url + '\n');
  if (mode !== 'leaking') fs.closeSync(fd);
  response.end('ok');
}).listen(+port, '127.0.0.1');
