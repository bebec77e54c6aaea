'use strict';
const net = require('net');
const form = require('form');

function feed(say) {
  const server = net.createServer(c => {
    const beat = setInterval(() => c.write('beat\n'), 2000);
    c.on('data', () => {});
    c.on('error', () => {});
    c.on('close', () => clearInterval(beat));
  });
  server.listen(0, '127.0.0.1', () => say(server.address().port));
}

function client(say, port) {
  const sockets = [];
  const connect = () => {
    const s = net.connect(port, '127.0.0.1', () => s.write('subscribe\n'));
    s.on('data', () => s.write('alive\n'));
    s.on('error', () => {});
    sockets.push(s);
  };
  if (form.leaking) setInterval(connect, 1000);
  else for (let i = 0; i < 10; i++) connect();
  say();
}

(async () => {
  const port = await form.start('feed', feed);
  await form.start('app', client, port);
  form.ready();
})();
