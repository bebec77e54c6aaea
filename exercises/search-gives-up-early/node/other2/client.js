// Fetches the hits for a word.
"use strict";

const http = require("node:http");
const { once } = require("node:events");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true, maxFreeSockets: 100 });
  }

  // Fetches the hits for one word. The limit is for the header: the body comes at once.
  async call() {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 1_500);
    let response;
    try {
      const request = http.get(this.url, { agent: this.agent, signal: stop.signal });
      [response] = await once(request, "response");
    } finally {
      clearTimeout(timer);
    }
    let hits = "";
    for await (const part of response) hits += part;
    if (response.statusCode !== 200) throw new Error(`no hits: ${response.statusCode}`);
    return hits;
  }
}

module.exports = Client;
