"""Fetches the hits for a word."""

import http.client
import queue
from urllib.parse import urlsplit


class Client:
    """Asks one search service, over connections of its own pool."""

    def __init__(self, url):
        self.url = urlsplit(url)
        self.idle = queue.LifoQueue()

    def call(self):
        """Fetches the hits for one word."""
        try:
            connection = self.idle.get_nowait()
        except queue.Empty:
            connection = http.client.HTTPConnection(self.url.netloc, timeout=1.5)
        try:
            connection.request("GET", self.url.path or "/")
            response = connection.getresponse()
            hits = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        self.idle.put(connection)
        if response.status != 200:
            raise RuntimeError(f"no hits: {response.status}")
        return hits
