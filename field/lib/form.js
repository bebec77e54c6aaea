// What the forms in Node share: form.leaking, form.role(name, work) where a role is a
// process of its own (a fork of the same file), and form.ready(). Roles end with the form.
'use strict';
const { spawn } = require('child_process');
const role = process.env.FORM_ROLE;
const leaking = process.argv[2] !== 'healthy';
const seconds = +(process.argv[3] || 120);
const children = [];

// start runs this file again as the role; work(say, ...ports) runs there, and says its port if
// it has one. Resolves to the port, or 0.
async function start(name, work, ...args) {
  if (role) {
    if (role === name) {
      const given = JSON.parse(process.env.FORM_ARGS);
      work(port => process.send({ port: port || 0 }), ...given);
      process.on('disconnect', () => process.exit(0));
    }
    return new Promise(role === name ? () => {} : done => done(0));
  }
  const child = spawn(process.execPath, [process.argv[1], process.argv[2] || 'leaking', String(seconds)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, FORM_ROLE: name, FORM_ARGS: JSON.stringify(args) },
  });
  children.push(child);
  console.log('PID ' + name + ' ' + child.pid);
  return new Promise(done => child.once('message', m => {
    if (m.port) console.log('PORT ' + name + ' ' + m.port);
    done(m.port);
  }));
}

function stop() {
  for (const c of children) c.kill('SIGKILL');
  process.exit(0);
}

function ready() {
  if (role) return;
  console.log('READY');
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('end', stop).on('close', stop).resume();
  setTimeout(stop, seconds * 1000);
}

module.exports = { leaking, start, ready };
