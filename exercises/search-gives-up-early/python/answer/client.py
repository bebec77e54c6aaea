"""Fetches the hits for a word."""

import requests
from requests.adapters import HTTPAdapter


class Client:
    """Asks one search service. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.mount("http://", HTTPAdapter(pool_maxsize=100))

    def call(self):
        """Fetches the hits for one word."""
        response = self.session.get(self.url, timeout=2)
        response.raise_for_status()
        return response.content
