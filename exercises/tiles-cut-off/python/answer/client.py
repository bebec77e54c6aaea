"""Fetches the tiles of a map."""

import random
import time

import requests


class Client:
    """Fetches from one map server. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def call(self):
        """Fetches one tile. It repeats once, after a pause."""
        try:
            return self.fetch()
        except requests.RequestException:
            time.sleep(random.uniform(0.05, 0.15))
        return self.fetch()

    def fetch(self):
        """Fetches once."""
        response = self.session.get(self.url, timeout=10)
        response.raise_for_status()
        if len(response.content) < int(response.headers["Content-Length"]):
            raise requests.ConnectionError("the tile is cut off")  # urllib3 1.26 does not say it
        return response.content
