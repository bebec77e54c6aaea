"""Fetches the tiles of a map."""

import http.client
import threading
import time
from urllib.parse import urlsplit


class Client:
    """Fetches from one map server. Each thread has a connection of its own."""

    def __init__(self, url):
        self.url = urlsplit(url)
        self.local = threading.local()
        self.lock = threading.Lock()
        self.failed = 0  # one after the other
        self.until = 0.0  # no request before that

    def call(self):
        """Fetches one tile. After three failures it asks for nothing, for some time."""
        with self.lock:
            if time.monotonic() < self.until:
                raise RuntimeError("the map server fails, asked too recently")
        try:
            tile = self.fetch()
        except (OSError, http.client.HTTPException):
            with self.lock:
                self.failed += 1
                if self.failed >= 3:
                    self.until = time.monotonic() + 0.3
            raise
        with self.lock:
            self.failed = 0
        return tile

    def fetch(self):
        """Fetches once."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.url.netloc, timeout=10)
        connection = self.local.connection
        try:
            connection.request("GET", self.url.path or "/")
            response = connection.getresponse()
            tile = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request opens it again
            raise
        if response.status != 200:
            raise http.client.HTTPException(f"no tile: {response.status}")
        return tile
