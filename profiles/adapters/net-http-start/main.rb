require "net/http"

POST = ENV["SOCKETLAB_METHOD"] == "POST"
SESSION = Net::HTTP.start(*ENV["SOCKETLAB_ADDR"].split(":"))

def call(_url)
  (POST ? SESSION.post("/", "body") : SESSION.get("/")).code.to_i
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
