// The program around your client. You need not change it, and "check" uses its own copy.
//
// It reads lines such as "17 http://127.0.0.1:40001/", makes a request for each,
// and writes "17 ok", or "17" and the name of an error. First it writes "ready".
"use strict";

const readline = require("node:readline");
const Client = require("./client.js");

const names = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EMFILE: "too_many_open_files",
};

// Says in one word how a request ended. fetch wraps the cause.
function name(error) {
  for (; error; error = error.cause) {
    if (/Timeout|Abort/.test(error.name) || /TIMEOUT/.test(error.code)) return "timeout";
    if (names[error.code]) return names[error.code];
  }
  return "other";
}

let client;
const input = readline.createInterface({ input: process.stdin });

input.on("line", async (line) => {
  const [number, url] = line.trim().split(" ");
  if (!number) return;
  client ??= new Client(url);
  try {
    await client.call();
    console.log(number, "ok");
  } catch (error) {
    console.log(number, name(error));
  }
});
input.on("close", () => process.exit()); // also while a request never ends
console.log("ready");
