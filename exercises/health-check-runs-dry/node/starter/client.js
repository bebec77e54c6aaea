// Asks a service for its health.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Asks once. A service is well if it answers with status 200.
  call() {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url, { agent: this.agent, timeout: 10_000 }, (response) => {
        if (response.statusCode !== 200) {
          reject(new Error(`the service is not well: ${response.statusCode}`));
          return;
        }
        resolve();
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }
}

module.exports = Client;
