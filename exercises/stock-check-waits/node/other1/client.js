// Asks for the stock of an article.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Asks once. A connection on which nothing comes for a while is closed.
  call() {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url, { agent: this.agent }, (response) => {
        response.resume();
        response.on("error", reject);
        response.on("end", resolve);
      });
      request.setTimeout(400, () => request.destroy(new Error("the stock is not known in time")));
      request.on("error", reject);
    });
  }
}

module.exports = Client;
