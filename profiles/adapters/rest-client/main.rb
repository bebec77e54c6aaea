require "rest-client"

POST = ENV["SOCKETLAB_METHOD"] == "POST"

def call(url)
  (POST ? RestClient.post(url, "body") : RestClient.get(url)).code
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
