"""Asks for the stock of an article."""

import http.client
import socket
import threading
from urllib.parse import urlsplit


class Client:
    """Asks the stock service. It is safe for use by several threads."""

    def __init__(self, url):
        self.address = urlsplit(url).netloc

    def call(self):
        """Asks once. A timer ends what takes too long, whatever it is that takes long."""
        connection = http.client.HTTPConnection(self.address)
        connection.connect()
        timer = threading.Timer(0.5, connection.sock.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            connection.request("GET", "/")
            return connection.getresponse().read()
        finally:
            timer.cancel()
            connection.close()
