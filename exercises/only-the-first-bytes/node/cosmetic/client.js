// Looks up which version a report has.
"use strict";

const { Agent, get } = require("node:http");
const { once } = require("node:events");

const SIZE = 16; // bytes of a version

class Client {
  constructor(address) {
    this.connections = new Agent({ keepAlive: true });
    this.address = address;
  }

  // Reads the version: the first bytes of a report.
  async call() {
    const options = { signal: AbortSignal.timeout(8_000), agent: this.connections };
    const [report] = await once(get(this.address, options), "response");
    if (report.statusCode !== 200) throw new Error(`ask for the report: ${report.statusCode}`);
    return await firstBytes(report);
  }
}

async function firstBytes(report) {
  let bytes = Buffer.alloc(0);
  for await (const part of report) {
    bytes = Buffer.concat([bytes, part]);
    if (bytes.length >= SIZE) return bytes.subarray(0, SIZE);
  }
  throw new Error(`a report of ${bytes.length} bytes has no version`);
}

module.exports = Client;
