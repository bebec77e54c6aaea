// Asks for the stock of an article.
"use strict";

const http = require("node:http");

class Client {
  constructor(address) {
    this.address = address;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Asks once.
  call() {
    return new Promise((resolve, reject) => {
      const query = http.get(this.address, { agent: this.agent }, (answer) => {
        answer.resume();
        answer.on("error", reject);
        answer.on("end", () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`the stock is not known: ${answer.statusCode}`));
        });
      });
      query.on("error", reject);
    });
  }
}

module.exports = Client;
