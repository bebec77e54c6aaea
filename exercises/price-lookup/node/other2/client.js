// Looks up prices.
"use strict";

const http = require("node:http");
const { once } = require("node:events");

// Has the connections of all clients.
const shared = new http.Agent({ keepAlive: true, maxSockets: 8, scheduling: "lifo" });

class Client {
  constructor(url) {
    this.url = url;
  }

  // Looks up the price of an article once.
  async call() {
    const request = http.get(this.url, { agent: shared, signal: AbortSignal.timeout(10_000) });
    const [response] = await once(request, "response");
    let price = "";
    for await (const part of response) price += part;
    if (response.statusCode !== 200) throw new Error(`no price: ${response.statusCode}`);
    return price;
  }
}

module.exports = Client;
