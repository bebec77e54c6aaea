"""Fetches the tiles of a map."""

import functools

import requests


def retry(times):
    """Repeats what did not work."""

    def decorate(function):
        @functools.wraps(function)
        def repeat(*args, **kwargs):
            for _ in range(times):
                try:
                    return function(*args, **kwargs)
                except requests.RequestException:
                    pass
            return function(*args, **kwargs)

        return repeat

    return decorate


class Client:
    """Fetches from one map server. It is safe for use by several threads."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    @retry(times=12)
    def call(self):
        """Fetches one tile."""
        response = self.session.get(self.url, timeout=10)
        response.raise_for_status()
        if len(response.content) < int(response.headers["Content-Length"]):
            raise requests.ConnectionError("the tile is cut off")  # urllib3 1.26 does not say it
        return response.content
