"""Asks a service for its health."""

import requests


class Client:
    """Asks one service. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def call(self):
        """Asks once. A service is well if a request without a body in the response succeeds."""
        self.session.head(self.url, timeout=10).raise_for_status()
