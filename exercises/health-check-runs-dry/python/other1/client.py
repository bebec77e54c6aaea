"""Asks a service for its health."""

import collections

import requests


class Client:
    """Asks one service. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.latest = collections.deque(maxlen=100)  # for the status page

    def call(self):
        """Asks once. A service is well if it answers with status 200."""
        with self.session.get(self.url, stream=True, timeout=10) as response:
            for _ in response.iter_content(8192):
                pass
        self.latest.append(response.status_code)
        if response.status_code != 200:
            raise RuntimeError(f"the service is not well: {response.status_code}")
