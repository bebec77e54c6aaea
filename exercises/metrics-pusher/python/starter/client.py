"""Pushes metrics."""

import requests


class Client:
    """Pushes to one collector. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.headers["Connection"] = "close"

    def call(self):
        """Pushes one metric."""
        response = self.session.post(self.url, data="orders_total 1", timeout=10)
        response.raise_for_status()
