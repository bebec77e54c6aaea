// Pushes metrics.
"use strict";

const http = require("node:http");

class Client {
  constructor(address) {
    this.address = address;
    this.agent = new http.Agent({ keepAlive: false, maxSockets: 50 });
  }

  // Pushes one metric.
  call() {
    return new Promise((resolve, reject) => {
      const options = { method: "POST", agent: this.agent, timeout: 8_000 };
      const query = http.request(this.address, options, (answer) => {
        answer.resume();
        answer.on("error", reject);
        answer.on("end", () => {
          if (answer.statusCode < 300) resolve();
          else reject(new Error(`not pushed: ${answer.statusCode}`));
        });
      });
      query.on("timeout", () => query.destroy(new Error("no answer")));
      query.on("error", reject);
      query.end("orders_total 1");
    });
  }
}

module.exports = Client;
