require 'net/http'

leaking = ARGV[0] == 'leaking'
kept = []
loop do
  kept << Net::HTTP.start('127.0.0.1', ARGV[1].to_i, keep_alive_timeout: 3600) if leaking || kept.empty?
  kept.last.get('/')
  sleep 0.4
end
