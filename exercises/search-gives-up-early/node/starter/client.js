// Fetches the hits for a word.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true, maxFreeSockets: 100 });
  }

  // Fetches the hits for one word.
  call() {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url, { agent: this.agent, timeout: 100 }, (response) => {
        response.resume();
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`no hits: ${response.statusCode}`));
        });
      });
      request.on("timeout", () => {
        request.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
      });
      request.on("error", reject);
    });
  }
}

module.exports = Client;
