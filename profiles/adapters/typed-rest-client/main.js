const { HttpClient } = require("typed-rest-client/HttpClient")
const { SOCKETLAB_METHOD: method, SOCKETLAB_BODY: body, SOCKETLAB_CLIENT: client } = process.env
const payload = method === "POST" ? "body" : undefined
const shared = new HttpClient("profile")
const call = async (url) => {
  const response = await shared.request(method, url, payload ?? null, {})
  if (body === "read") await response.readBody()
  return response.message.statusCode
}

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [number, url] = line.split(" ")
  call(url).then((status) => (status < 400 ? "ok" : "HTTP_" + status), (e) => e.code ?? e.cause?.code ?? e.name)
    .then((how) => console.log(number, how))
})
