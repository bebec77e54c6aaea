require 'socket'

Thread.report_on_exception = false
server = TCPServer.new('127.0.0.1', ARGV[1].to_i)
clients = []
loop do
  client = server.accept
  clients << client if ARGV[0] == 'leaking'
  Thread.new(client) do |c|
    begin
      loop { c.puts c.gets.upcase } # nil has no upcase: the client is gone
    ensure
      c.close unless ARGV[0] == 'leaking'
    end
  end
end
