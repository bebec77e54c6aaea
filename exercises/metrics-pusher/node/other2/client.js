// Pushes metrics.
"use strict";

class Client {
  constructor(url) {
    this.url = url;
  }

  // Pushes one metric. fetch keeps its connections.
  async call() {
    const options = { method: "POST", body: "orders_total 1", signal: AbortSignal.timeout(10_000) };
    const response = await fetch(this.url, options);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`not pushed: ${response.status}`);
  }
}

module.exports = Client;
