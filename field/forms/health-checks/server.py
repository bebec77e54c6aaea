"""Answers PING, a thread for each connection."""
import socketserver
import sys

left = []


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        if sys.argv[2] == 'leaking':
            left.append(self.request.dup())
        try:
            for _ in self.rfile:
                self.wfile.write(b'+OK\r\n')
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


Server(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
