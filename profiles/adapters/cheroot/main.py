import os
from cheroot.wsgi import Server
from app import app

Server(("127.0.0.1", int(os.environ["PORT"])), app).start()
