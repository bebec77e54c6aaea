'use strict';
const http = require('http');
const form = require('form');

function upstream(say) {
  const s = http.createServer((q, r) => r.end('x'));
  s.listen(0, '127.0.0.1', () => say(s.address().port));
}

function service(say, port) {
  const agent = new http.Agent({ keepAlive: !form.leaking });
  const s = http.createServer((q, r) => {
    http.get({ port, host: '127.0.0.1', agent }, u => u.resume().on('end', () => r.end('ok'))).on('error', () => r.end());
  });
  s.listen(0, '127.0.0.1', () => say(s.address().port));
}

function client(say, port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  setInterval(() => http.get({ port, host: '127.0.0.1', agent }, r => r.resume()).on('error', () => {}), 100);
  say();
}

(async () => {
  const up = await form.start('upstream', upstream);
  const port = await form.start('app', service, up);
  await form.start('client', client, port);
  form.ready();
})();
