require "http"

POST = ENV["SOCKETLAB_METHOD"] == "POST"
SHARED = HTTP.persistent(ENV["SOCKETLAB_URL"])

def call(_url)
  response = POST ? SHARED.post("/", body: "body") : SHARED.get("/")
  response.to_s
  response.code
end

$stdin.each_line do |line|
  number, url = line.split
  how = begin
    status = call(url)
    status < 400 ? "ok" : "HTTP_#{status}"
  rescue StandardError => e
    e.class.name.gsub("::", "_")
  end
  $stdout.syswrite("#{number} #{how}\n")
end
