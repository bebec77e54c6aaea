const request = require("request")
const { SOCKETLAB_METHOD: method, SOCKETLAB_BODY: body, SOCKETLAB_CLIENT: client } = process.env
const payload = method === "POST" ? "body" : undefined
const call = (url) => new Promise((resolve, reject) =>
  request({ url, method, body: payload }, (e, response) => (e ? reject(e) : resolve(response.statusCode))))

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [number, url] = line.split(" ")
  call(url).then((status) => (status < 400 ? "ok" : "HTTP_" + status), (e) => e.code ?? e.cause?.code ?? e.name)
    .then((how) => console.log(number, how))
})
