// Fetches the hits for a word.
"use strict";

const http = require("node:http");

const limit = 0.1; // seconds

class Client {
  constructor(address) {
    this.address = address;
    this.agent = new http.Agent({ keepAlive: true, maxFreeSockets: 500 });
  }

  // Fetches the hits for one word.
  call() {
    return new Promise((resolve, reject) => {
      const search = http.get(this.address, { agent: this.agent }, (answer) => {
        answer.resume();
        answer.on("error", reject);
        answer.on("end", () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`no hits: ${answer.statusCode}`));
        });
      });
      search.setTimeout(limit * 1000, () => {
        search.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
      });
      search.on("error", reject);
    });
  }
}

module.exports = Client;
