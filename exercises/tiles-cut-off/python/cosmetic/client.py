"""Fetches the tiles of a map."""

import requests


class Client:
    """Fetches from one map server. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def call(self):
        """Fetches one tile. It repeats what did not work."""
        tries = 13
        while True:
            tries -= 1
            try:
                return self.fetch()
            except requests.RequestException:
                if not tries:
                    raise

    def fetch(self):
        """Fetches once."""
        answer = self.session.get(self.url, timeout=10)
        answer.raise_for_status()
        if len(answer.content) < int(answer.headers["Content-Length"]):
            raise requests.ConnectionError("the tile is cut off")  # urllib3 1.26 does not say it
        return answer.content
