// Asks for the stock of an article.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Asks once.
  call() {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url, { agent: this.agent }, (response) => {
        response.resume();
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`the stock is not known: ${response.statusCode}`));
        });
      });
      request.on("error", reject);
    });
  }
}

module.exports = Client;
