'use strict';
const dgram = require('dgram');
const form = require('form');

function dns(say) {
  const s = dgram.createSocket('udp4');
  s.on('message', (q, from) => {
    const answer = Buffer.concat([q, Buffer.from('c00c00010001000000050004c0000201', 'hex')]); // 192.0.2.1 for five seconds
    answer[2] |= 0x80;
    answer[7] = 1;
    s.send(answer, from.port, from.address);
  });
  s.bind(0, '127.0.0.1', () => say(s.address().port));
}

function service(say, port) {
  const query = Buffer.from('000001000001000000000000047368' + '6f70047465737400' + '00010001', 'hex');
  setInterval(() => {
    const s = dgram.createSocket('udp4');
    s.on('message', () => { if (!form.leaking) s.close(); });
    s.send(query, port, '127.0.0.1');
  }, 400);
  say();
}

(async () => {
  const port = await form.start('dns', dns);
  await form.start('app', service, port);
  form.ready();
})();
