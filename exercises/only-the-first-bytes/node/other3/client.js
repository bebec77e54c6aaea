// Looks up which version a report has.
"use strict";

const http = require("node:http");

class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true });
  }

  // Reads the version: the first 16 bytes of a report. The caller has it as soon as they
  // are there; the rest flows on.
  call() {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url, { agent: this.agent, timeout: 10_000 }, (response) => {
        let version = Buffer.alloc(0);
        response.on("error", reject);
        response.on("data", (part) => {
          if (version.length >= 16) return;
          version = Buffer.concat([version, part.subarray(0, 16)]);
          if (version.length >= 16 && response.statusCode === 200) resolve(version.subarray(0, 16));
        });
        response.on("end", () => reject(new Error(`no version: status ${response.statusCode}`)));
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }
}

module.exports = Client;
