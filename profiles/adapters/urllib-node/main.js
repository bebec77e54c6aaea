const { request } = require("urllib")
const { SOCKETLAB_METHOD: method, SOCKETLAB_BODY: body, SOCKETLAB_CLIENT: client } = process.env
const payload = method === "POST" ? "body" : undefined
const call = async (url) => {
  const response = await request(url, { method, data: payload, streaming: body !== "read" })
  return response.status
}

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [number, url] = line.split(" ")
  call(url).then((status) => (status < 400 ? "ok" : "HTTP_" + status), (e) => e.code ?? e.cause?.code ?? e.name)
    .then((how) => console.log(number, how))
})
