"""Fetches the hits for a word."""

from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter


class Client:
    """Asks one search service. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.mount("http://", HTTPAdapter(pool_maxsize=100))
        self.searches = ThreadPoolExecutor(100)

    def call(self):
        """Fetches the hits for one word.

        The caller waits for two seconds at most. The request goes on for some more, so
        that its connection can be used again.
        """
        return self.searches.submit(self.fetch).result(timeout=2)

    def fetch(self):
        response = self.session.get(self.url, timeout=5)
        response.raise_for_status()
        return response.content
