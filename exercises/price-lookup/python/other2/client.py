"""Looks up prices."""

import threading

import requests


class Client:
    """Looks up the price of an article. Each thread has a session of its own."""

    def __init__(self, url):
        self.url = url
        self.local = threading.local()

    def call(self):
        """Looks up once."""
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
        response = self.local.session.get(self.url, timeout=10)
        response.raise_for_status()
        return response.content
