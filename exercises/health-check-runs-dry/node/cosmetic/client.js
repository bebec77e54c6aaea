// Asks a service for its health.
"use strict";

const { Agent, get } = require("node:http");

class Client {
  constructor(url) {
    this.connections = new Agent({ keepAlive: true });
    this.url = url;
  }

  // Asks once. A service is well if it answers with status 200.
  async call() {
    const status = await this.status();
    if (status !== 200) throw new Error(`the service is not well: ${status}`);
  }

  status() {
    return new Promise((resolve, reject) => {
      const options = { agent: this.connections, timeout: 5_000 };
      const request = get(this.url, options, ({ statusCode }) => resolve(statusCode));
      request.on("error", reject);
      request.on("timeout", () => request.destroy(new Error("no answer")));
    });
  }
}

module.exports = Client;
