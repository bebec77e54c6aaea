// Looks up prices.
"use strict";

const http = require("node:http");

class Client {
  constructor(address) {
    this.address = address;
  }

  // Looks up the price of an article once.
  call() {
    return new Promise((resolve, reject) => {
      const agent = new http.Agent({ keepAlive: true });
      const headers = { "User-Agent": "shop/1.4" };
      const query = http.get(this.address, { agent, headers, timeout: 8_000 }, (answer) => {
        answer.resume();
        answer.on("error", reject);
        answer.on("end", () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`no price: ${answer.statusCode}`));
        });
      });
      query.on("timeout", () => query.destroy(new Error("no answer")));
      query.on("error", reject);
    });
  }
}

module.exports = Client;
