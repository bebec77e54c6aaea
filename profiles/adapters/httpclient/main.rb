require "httpclient"

POST = ENV["SOCKETLAB_METHOD"] == "POST"
SHARED = HTTPClient.new

def call(url)
  (POST ? SHARED.post(url, "body", follow_redirect: true) : SHARED.get(url, follow_redirect: true)).status
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
