"""Sends webhooks."""

import http.client
import threading
from urllib.parse import urlsplit


class Client:
    """Sends to one receiver. Each thread has a connection of its own."""

    def __init__(self, url):
        self.address = urlsplit(url).netloc
        self.local = threading.local()

    def call(self):
        """Sends one webhook."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.address, timeout=10)
        connection = self.local.connection
        try:
            connection.request("POST", "/", '{"event": "paid"}')
            response = connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if response.status // 100 != 2:
            raise RuntimeError(f"not delivered: {response.status}: {said[:200]}")
