require "net/http/persistent"

POST = ENV["SOCKETLAB_METHOD"] == "POST"
SHARED = Net::HTTP::Persistent.new

def call(url)
  uri = URI(url)
  request = (POST ? Net::HTTP::Post : Net::HTTP::Get).new(uri)
  request.body = "body" if POST
  SHARED.request(uri, request).code.to_i
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
