// Fetches the hits for a word.
"use strict";

class Client {
  constructor(url) {
    this.url = url;
  }

  // Fetches the hits for one word. The limit includes the body.
  async call() {
    const response = await fetch(this.url, { signal: AbortSignal.timeout(3_000) });
    const hits = await response.text();
    if (!response.ok) throw new Error(`no hits: ${response.status}`);
    return hits;
  }
}

module.exports = Client;
