// Sends webhooks.
"use strict";

const http = require("node:http");

class Client {
  constructor(address) {
    this.address = address;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Sends one webhook.
  call() {
    return new Promise((resolve, reject) => {
      const options = { method: "POST", agent: this.agent, timeout: 8_000 };
      const query = http.request(this.address, options, (answer) => {
        if (answer.statusCode >= 300) {
          reject(new Error(`not delivered: ${answer.statusCode}`));
          return;
        }
        answer.resume();
        answer.on("error", reject);
        answer.on("end", resolve);
      });
      query.on("timeout", () => query.destroy(new Error("no answer")));
      query.on("error", reject);
      query.end('{"event": "paid"}');
    });
  }
}

module.exports = Client;
