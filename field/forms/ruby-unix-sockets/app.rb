require 'socket'

asked = []
loop do
  s = UNIXSocket.new(ARGV[1])
  s.puts 'state'
  s.gets
  if ARGV[0] == 'leaking'
    asked << s
  else
    s.close
  end
  sleep 0.4
end
