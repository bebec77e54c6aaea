"""Asks for the stock of an article."""

import requests
from requests.adapters import HTTPAdapter


class Limited(HTTPAdapter):
    """Gives each request a limit, unless it has one."""

    def send(self, request, timeout=None, **options):
        return super().send(request, timeout=timeout or (0.3, 0.4), **options)


class Client:
    """Asks the stock service. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.mount("http://", Limited())
        self.session.mount("https://", Limited())

    def call(self):
        """Asks once."""
        response = self.session.get(self.url)
        response.raise_for_status()
        return response.text
