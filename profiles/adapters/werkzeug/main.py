import os
from werkzeug.serving import run_simple
from app import app

run_simple("127.0.0.1", int(os.environ["PORT"]), app, threaded=True)
