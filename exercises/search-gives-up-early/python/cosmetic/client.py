"""Fetches the hits for a word."""

import requests
from requests.adapters import HTTPAdapter


class Client:
    """Asks one search service. It is safe for use by several threads."""

    def __init__(self, address):
        self.address = address
        self.session = requests.Session()
        self.session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=500))

    def call(self):
        """Fetches the hits for one word."""
        answer = self.session.get(self.address, timeout=(2, 100 / 1000))
        answer.raise_for_status()
        return answer.content
