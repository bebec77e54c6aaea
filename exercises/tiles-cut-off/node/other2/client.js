// Fetches the tiles of a map.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
    this.budget = 0; // of repetitions, in tenths
  }

  // Fetches one tile. It may repeat one for ten that worked.
  async call() {
    for (;;) {
      try {
        const tile = await this.fetch();
        this.budget += 1;
        return tile;
      } catch (error) {
        if (this.budget < 10) throw error;
        this.budget -= 10;
      }
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
