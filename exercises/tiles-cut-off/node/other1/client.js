// Fetches the tiles of a map.
"use strict";

class Client {
  constructor(url) {
    this.url = url;
  }

  // Fetches one tile. Its caller knows whether another try is worth it.
  async call() {
    const response = await fetch(this.url, { signal: AbortSignal.timeout(10_000) });
    const tile = await response.arrayBuffer();
    if (!response.ok) throw new Error(`no tile: ${response.status}`);
    return tile;
  }
}

module.exports = Client;
