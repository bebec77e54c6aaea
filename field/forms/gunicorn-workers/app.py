import os

import requests

sessions = [requests.Session()]


def serve(environ, start_response):
    if os.environ['FORM_MODE'] == 'leaking':
        sessions.append(requests.Session())
    body = sessions[-1].get('http://127.0.0.1:%s/' % os.environ['FORM_UPSTREAM']).content
    start_response('200 OK', [('Content-Length', str(len(body)))])
    return [body]
