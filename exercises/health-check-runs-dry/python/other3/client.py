"""Asks a service for its health."""

import http.client
import threading
from urllib.parse import urlsplit


class Client:
    """Asks one service over one connection. It is safe for use by several threads."""

    def __init__(self, url):
        self.lock = threading.Lock()
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)

    def call(self):
        """Asks once. A service is well if it answers with status 200."""
        with self.lock:
            try:
                self.connection.request("GET", "/")
                response = self.connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                raise
        if response.status != 200:
            raise RuntimeError(f"the service is not well: {response.status}")
