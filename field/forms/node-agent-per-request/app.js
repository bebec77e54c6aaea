'use strict';
const http = require('http');
const form = require('form');

function server(say) {
  const s = http.createServer((q, r) => r.end('ok')); // ends what is idle for five seconds
  s.listen(0, '127.0.0.1', () => say(s.address().port));
}

function client(say, port) {
  let agent = new http.Agent({ keepAlive: true });
  setInterval(() => {
    if (form.leaking) agent = new http.Agent({ keepAlive: true });
    http.get({ port, host: '127.0.0.1', agent }, r => r.resume()).on('error', () => {});
  }, 400);
  say();
}

(async () => {
  const port = await form.start('server', server);
  await form.start('app', client, port);
  form.ready();
})();
