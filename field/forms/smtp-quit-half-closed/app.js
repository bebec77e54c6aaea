'use strict';
const net = require('net');
const form = require('form');

function mta(say) {
  const server = net.createServer({ allowHalfOpen: true }, c => {
    c.write('220 ready\r\n');
    c.on('error', () => {});
    c.on('data', d => {
      const quit = String(d).startsWith('QUIT');
      c.write(quit ? '221 bye\r\n' : '250 ok\r\n');
      if (quit && !form.leaking) c.end(); // else it says good-bye and never hangs up
    });
  });
  server.listen(0, '127.0.0.1', () => say(server.address().port));
}

function mailer(say, port) {
  const kept = new Set();
  const says = ['EHLO a\r\n', 'MAIL FROM:<a@x>\r\n', 'QUIT\r\n'];
  setInterval(() => {
    const s = net.connect(port, '127.0.0.1');
    let step = 0;
    kept.add(s);
    s.on('error', () => {});
    s.on('close', () => kept.delete(s));
    s.on('data', () => {
      if (step < says.length) {
        s.write(says[step++]);
        return;
      }
      s.end();
      if (!form.leaking) setTimeout(() => s.destroy(), 500).unref();
    });
  }, 300);
  say();
}

(async () => {
  const port = await form.start('mta', mta);
  await form.start('app', mailer, port);
  form.ready();
})();
