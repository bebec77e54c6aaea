// Fetches the tiles of a map.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
    this.failed = 0; // one after the other
    this.until = 0; // no request before that
  }

  // Fetches one tile. After three failures it asks for nothing, for some time.
  async call() {
    if (performance.now() < this.until) throw new Error("the map server fails, asked too recently");
    try {
      const tile = await this.fetch();
      this.failed = 0;
      return tile;
    } catch (error) {
      this.failed += 1;
      if (this.failed >= 3) this.until = performance.now() + 300;
      throw error;
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
