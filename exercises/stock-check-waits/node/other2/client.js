// Asks for the stock of an article.
"use strict";

class Client {
  constructor(url) {
    this.url = url;
  }

  // Asks once.
  async call() {
    const response = await fetch(this.url, { signal: AbortSignal.timeout(500) });
    const text = await response.text();
    if (!response.ok) throw new Error(`the stock is not known: ${response.status}`);
    return text;
  }
}

module.exports = Client;
