// Asks a service for its health.
"use strict";

class Client {
  constructor(url) {
    this.url = url;
  }

  // Asks once. A service is well if it answers with status 200.
  async call() {
    const response = await fetch(this.url, { signal: AbortSignal.timeout(10_000) });
    await response.text();
    if (!response.ok) throw new Error(`the service is not well: ${response.status}`);
  }
}

module.exports = Client;
