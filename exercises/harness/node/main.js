// The program around your client: it makes the requests that sockwatch asks for.
//
// A line of its input is one to make now, "17 http://127.0.0.1:40001/". It says how each
// ended: "17 ok", or "17" and the error. First it says "ready".
"use strict";

const answers = new console.Console(process.stdout);
globalThis.console = new console.Console(process.stderr); // what the client prints is no answer
const Client = require("./client.js");

let client;
const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const [number, url] = line.split(" ");
  client ??= new Client(url);
  try {
    await client.call();
    answers.log(number, "ok");
  } catch (e) {
    const why = e.cause?.code ?? e.code ?? e.message;
    answers.log(number, `${e.name}: ${why}`.replaceAll("\n", " "));
  }
});
lines.on("close", () => process.exit()); // also while a request never ends
answers.log("ready");
