"""Fetches the tiles of a map."""

import threading

import requests


class Client:
    """Fetches from one map server. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.lock = threading.Lock()
        self.budget = 0  # of repetitions, in tenths

    def call(self):
        """Fetches one tile. It may repeat one for ten that worked."""
        while True:
            try:
                tile = self.fetch()
            except requests.RequestException:
                if not self.may_repeat():
                    raise
            else:
                with self.lock:
                    self.budget += 1
                return tile

    def may_repeat(self):
        """Takes a repetition from the budget, if there is one."""
        with self.lock:
            if self.budget < 10:
                return False
            self.budget -= 10
            return True

    def fetch(self):
        """Fetches once."""
        response = self.session.get(self.url, timeout=10)
        response.raise_for_status()
        if len(response.content) < int(response.headers["Content-Length"]):
            raise requests.ConnectionError("the tile is cut off")  # urllib3 1.26 does not say it
        return response.content
