"""Asks for the stock of an article."""

import urllib.request


class Client:
    """Asks the stock service. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url

    def call(self):
        """Asks once."""
        with urllib.request.urlopen(self.url, timeout=0.5) as response:
            return response.read()
