"""Looks up prices."""

import requests
from requests.adapters import HTTPAdapter


class Client:
    """Looks up the price of an article. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.connections = HTTPAdapter(pool_maxsize=20)

    def call(self):
        """Looks up once. The session is new, its connections are not."""
        session = requests.Session()
        session.mount("http://", self.connections)
        response = session.get(self.url, timeout=10)
        response.raise_for_status()
        return response.content
