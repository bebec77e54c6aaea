import eventlet; eventlet.monkey_patch()
import eventlet.wsgi, os
from app import app

eventlet.wsgi.server(eventlet.listen(("127.0.0.1", int(os.environ["PORT"]))), app, log_output=False)
