// Looks up prices.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Looks up the price of an article once.
  call() {
    return new Promise((resolve, reject) => {
      const headers = { "User-Agent": "shop/1.4" };
      const request = http.get(this.url, { agent: this.agent, headers, timeout: 10_000 }, (response) => {
        response.resume();
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`no price: ${response.statusCode}`));
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }
}

module.exports = Client;
