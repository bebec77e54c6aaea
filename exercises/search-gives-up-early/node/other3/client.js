// Fetches the hits for a word.
"use strict";

class Client {
  constructor(url) {
    this.url = url;
    this.slowest = 0; // the slowest answer so far, in milliseconds
  }

  // Fetches the hits for one word.
  async call() {
    // Ten times what was seen, between two and five seconds.
    const limit = Math.round(Math.min(Math.max(10 * this.slowest, 2_000), 5_000));
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new DOMException("no answer", "TimeoutError")), limit);
    });
    try {
      // The request goes on for some more, so that its connection can be used again.
      return await Promise.race([this.fetchHits(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async fetchHits() {
    const began = performance.now();
    const response = await fetch(this.url, { signal: AbortSignal.timeout(10_000) });
    const hits = await response.text();
    if (!response.ok) throw new Error(`no hits: ${response.status}`);
    this.slowest = Math.max(this.slowest, performance.now() - began);
    return hits;
  }
}

module.exports = Client;
