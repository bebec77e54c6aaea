// Asks for the stock of an article.
"use strict";

const http = require("node:http");
const { once } = require("node:events");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Asks once. A timer ends what takes too long.
  async call() {
    const request = http.get(this.url, { agent: this.agent });
    const timer = setTimeout(() => request.destroy(new Error("too late")), 500);
    try {
      const [response] = await once(request, "response");
      let text = "";
      for await (const part of response) text += part;
      return text;
    } finally {
      clearTimeout(timer);
    }
  }
}

module.exports = Client;
