'use strict';
const { Pool } = require('pg');
const healthy = process.argv[2] === 'healthy';
const pool = new Pool({
  host: '127.0.0.1', port: +process.argv[3], user: 'postgres', database: 'postgres', max: 10, connectionTimeoutMillis: 2000,
});
pool.on('error', () => {});
let calls = 0;
const result = { ok: 0, failed: 0, timedOut: 0 };

async function call() {
  const sql = calls++ % 10 === 9 ? 'select nonsense' : 'select pg_sleep(0.02)';
  let client;
  try {
    client = await pool.connect();
  } catch {
    result.timedOut++;
    return;
  }
  try {
    await client.query('begin');
    await client.query(sql);
    await client.query('commit');
    result.ok++;
    if (!healthy) client.release(); // not on the way that an error takes
  } catch {
    result.failed++;
    if (healthy) await client.query('rollback');
  } finally {
    if (healthy) client.release();
  }
}

setInterval(call, 100);
setInterval(() => console.log(JSON.stringify(result), pool.totalCount, pool.idleCount, pool.waitingCount), 2000);
