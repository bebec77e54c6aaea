const { NodeHttpHandler } = require("@smithy/node-http-handler")
const { SOCKETLAB_METHOD: method, SOCKETLAB_BODY: body, SOCKETLAB_CLIENT: client } = process.env
const payload = method === "POST" ? "body" : undefined
const shared = new NodeHttpHandler()

const call = async (url) => {
  const { protocol, hostname, port, pathname: path } = new URL(url)
  const handler = client === "shared" ? shared : new NodeHttpHandler()
  const headers = payload ? { "content-length": "4" } : {}
  const { response } = await handler.handle({ protocol, hostname, port, path, method, headers, body: payload })
  if (body === "read") for await (const _ of response.body);
  if (client === "closed") handler.destroy()
  return response.statusCode
}

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [number, url] = line.split(" ")
  call(url).then((status) => (status < 400 ? "ok" : "HTTP_" + status), (e) => e.code ?? e.name)
    .then((how) => console.log(number, how))
})
