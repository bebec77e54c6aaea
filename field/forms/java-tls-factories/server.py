"""HTTPS with keep-alive: server.py PORT CERTIFICATE KEY."""
import ssl
import sys

sys.argv, (port, certificate, key) = sys.argv[:1], sys.argv[1:]
import form  # noqa: E402

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)


def handle(c):
    with tls.wrap_socket(c, server_side=True) as s:
        f = s.makefile('rwb')
        while True:
            size = 0
            line = f.readline()
            if not line:
                return
            while line not in (b'\r\n', b''):
                if line.lower().startswith(b'content-length:'):
                    size = int(line.split(b':')[1])
                line = f.readline()
            f.read(size)
            # Without the last two headers the client closes an idle connection after five seconds.
            f.write(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'
                    b'Connection: keep-alive\r\nKeep-Alive: timeout=90\r\n\r\nok')
            f.flush()


form.accept(form.listen(int(port)), handle)
