require "typhoeus"

POST = ENV["SOCKETLAB_METHOD"] == "POST"

def call(url)
  response = POST ? Typhoeus.post(url, body: "body", followlocation: true) : Typhoeus.get(url, followlocation: true)
  raise response.return_code.to_s if response.code.zero?

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
