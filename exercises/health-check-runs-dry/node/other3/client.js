// Asks a service for its health.
"use strict";

const http = require("node:http");
const { once } = require("node:events");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  }

  // Asks once. A service is well if it answers with status 200.
  async call() {
    const request = http.get(this.url, { agent: this.agent, signal: AbortSignal.timeout(10_000) });
    const [response] = await once(request, "response");
    let size = 0;
    for await (const part of response) size += part.length;
    if (response.statusCode !== 200) throw new Error(`the service is not well: ${response.statusCode}, ${size} bytes`);
  }
}

module.exports = Client;
