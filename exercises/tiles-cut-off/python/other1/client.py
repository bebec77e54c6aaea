"""Fetches the tiles of a map."""

import requests


class Client:
    """Fetches from one map server. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def call(self):
        """Fetches one tile. Its caller knows whether another try is worth it."""
        response = self.session.get(self.url, timeout=10)
        response.raise_for_status()
        if len(response.content) < int(response.headers["Content-Length"]):
            raise requests.ConnectionError("the tile is cut off")  # urllib3 1.26 does not say it
        return response.content
