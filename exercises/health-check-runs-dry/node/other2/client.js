// Asks a service for its health.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Asks once. A service is well if a request without a body in the response succeeds.
  call() {
    return new Promise((resolve, reject) => {
      const options = { method: "HEAD", agent: this.agent, timeout: 10_000 };
      const request = http.request(this.url, options);
      request.on("response", (response) => {
        response.on("error", reject);
        response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error("the service is not well"))));
        response.resume();
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
      request.end();
    });
  }
}

module.exports = Client;
