"""Asks a service for its health."""

from collections import deque

import requests


class Client:
    """Asks one service. It is safe for use by several threads."""

    def __init__(self, url):
        self.latest = deque(maxlen=100)  # what the status page shows
        self.http = requests.Session()
        self.url = url

    def call(self):
        """Asks once. A service is well if it answers with status 200."""
        answer = self.http.get(self.url, timeout=5, stream=True)
        self.latest.append(answer)
        if answer.status_code == 200:
            return
        raise RuntimeError(f"the service is not well: {answer.status_code}")
