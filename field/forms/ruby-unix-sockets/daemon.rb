require 'socket'

server = UNIXServer.new(ARGV[0])
loop do
  Thread.new(server.accept) do |c|
    while (line = c.gets)
      c.puts "#{line.chomp}: ok"
    end
    c.close
  end
end
