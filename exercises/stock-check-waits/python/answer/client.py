"""Asks for the stock of an article."""

import requests


class Client:
    """Asks the stock service. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def call(self):
        """Asks once."""
        response = self.session.get(self.url, timeout=0.5)
        response.raise_for_status()
        return response.text
