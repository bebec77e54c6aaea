'use strict';
const cluster = require('cluster');
const http = require('http');
const [, , mode, port, upstream] = process.argv;

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  const agents = [new http.Agent({ keepAlive: true })];
  http.createServer((request, response) => {
    if (mode === 'leaking') agents.push(new http.Agent({ keepAlive: true }));
    http.get({ port: +upstream, host: '127.0.0.1', agent: agents[agents.length - 1] }, u => {
      u.resume().on('end', () => response.end('ok'));
    }).on('error', () => response.end());
  }).listen(+port, '127.0.0.1');
}
