// Looks up prices.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.idle = []; // agents, each with a connection that no lookup uses
  }

  // Looks up the price of an article once.
  async call() {
    const agent = this.idle.pop() ?? new http.Agent({ keepAlive: true, maxSockets: 1 });
    try {
      await this.lookUp(agent);
    } finally {
      this.idle.push(agent);
    }
  }

  lookUp(agent) {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url, { agent, timeout: 10_000 }, (response) => {
        response.on("error", reject);
        response.on("close", () => (response.statusCode === 200 ? resolve() : reject(new Error("no price"))));
        response.resume();
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }
}

module.exports = Client;
