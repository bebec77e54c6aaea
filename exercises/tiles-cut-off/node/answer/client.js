// Fetches the tiles of a map.
"use strict";

const http = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Fetches one tile. It repeats once, after a pause.
  async call() {
    try {
      return await this.fetch();
    } catch {
      await sleep(50 + 100 * Math.random());
      return this.fetch();
    }
  }

  // Fetches once.
  fetch() {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url, { agent: this.agent, timeout: 10_000 }, (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve(Buffer.concat(parts));
          else reject(new Error(`no tile: ${response.statusCode}`));
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }
}

module.exports = Client;
