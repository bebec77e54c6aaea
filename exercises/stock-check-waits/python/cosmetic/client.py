"""Asks for the stock of an article."""

import requests


class Client:
    """Asks the stock service. It is safe for use by several threads."""

    def __init__(self, address):
        self.address = address
        self.s = requests.Session()

    def call(self):
        """Asks once."""
        answer = self.s.get(self.address)
        answer.raise_for_status()
        return answer.text
