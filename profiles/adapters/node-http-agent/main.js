const http = require("http"), https = require("https")
const { SOCKETLAB_METHOD: method, SOCKETLAB_BODY: body, SOCKETLAB_CLIENT: client } = process.env
const payload = method === "POST" ? "body" : undefined
const options = { keepAlive: true, timeout: 5000, scheduling: "lifo" } // those of the global agent
const shared = http.globalAgent

const call = (url) => new Promise((resolve, reject) => {
  const agent = client === "shared" ? shared : new http.Agent(options)
  const of = url.startsWith("https:") ? { lib: https } : { lib: http, agent }
  of.lib.request(url, { method, agent: of.agent }, (response) => {
    response.on("error", reject).on("end", () => resolve(response.statusCode))
    if (body === "read") response.resume()
    else resolve(response.statusCode)
    if (client === "closed") response.on("end", () => agent.destroy())
  }).on("error", reject).end(payload)
})

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [number, url] = line.split(" ")
  call(url).then((status) => (status < 400 ? "ok" : "HTTP_" + status), (e) => e.code ?? e.cause?.code ?? e.name)
    .then((how) => console.log(number, how))
})
