"""What the forms in Python share.

A form's roles are processes of their own. They end with the form: after its time, when
its stdin closes, on SIGTERM, and when it is killed.

    import form
    port = form.server('server', handle)     # handle(connection) in a thread for each
    form.role('app', work, port)
    form.ready()
"""
import ctypes
import os
import select
import signal
import socket
import sys
import threading
import time

mode = sys.argv[1] if len(sys.argv) > 1 else 'leaking'
leaking = mode == 'leaking'
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 120
PR_SET_PDEATHSIG = 1

_children = []


def fork(work, *args):
    """Runs work(*args) in a child that ends with its parent. Returns its pid."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getppid() in (parent, 0):
            work(*args)
        code = 0
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        os._exit(code)


def role(name, work, *args):
    """Starts work(*args) as the role's process, says its pid, and returns it."""
    def named():
        sys.stdout.flush()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.close(null)
        # A program's name of its own, so that the form can be found by name.
        with open('/proc/self/comm', 'w') as comm:
            comm.write('%.8s-%s' % (name, os.urandom(3).hex()))
        work(*args)
    pid = fork(named)
    _children.append(pid)
    print('PID', name, pid, flush=True)
    return pid


def listen(port=0, backlog=128, host='127.0.0.1'):
    l = socket.socket()
    l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    l.bind((host, port))
    l.listen(backlog)
    return l


def served(name, work, *args):
    """Like role; work gets a function as its first argument, and calls it with the
    port once it listens. Returns the port."""
    r, w = os.pipe()

    def told():
        os.close(r)

        def say(port):
            os.write(w, b'%d\n' % port)
            os.close(w)
        work(say, *args)
    role(name, told)
    os.close(w)
    with os.fdopen(r) as f:
        port = int(f.readline())
    print('PORT', name, port, flush=True)
    return port


def accept(l, handle):
    """Accepts for ever; handle(connection) runs in a thread for each."""
    def one(c):
        try:
            handle(c)
        except OSError:
            pass
    while True:
        c, _ = l.accept()
        threading.Thread(target=one, args=(c,), daemon=True).start()


def server(name, handle, **listening):
    """Starts a server as a role. Returns its port."""
    def work(say):
        l = listen(**listening)
        say(l.getsockname()[1])
        accept(l, handle)
    return served(name, work)


def connect(port, host='127.0.0.1', timeout=None):
    return socket.create_connection((host, port), timeout)


def every(period, n=None):
    """Yields 0, 1, 2 … at steady moments, whatever the work between takes."""
    start, i = time.monotonic(), 0
    while n is None or i < n:
        yield i
        i += 1
        time.sleep(max(0, start + i * period - time.monotonic()))


def forever():
    while True:
        time.sleep(3600)


# Handlers that several forms use.

def lines(c, answer=b'ok\r\n'):
    """Answers each line, and closes when the client does."""
    f = c.makefile('rwb', buffering=0)
    for _ in f:
        f.write(answer)
    f.close()
    c.close()


def drain(c):
    """Reads and says nothing, and closes when the client does."""
    while c.recv(65536):
        pass
    c.close()


def http_request(s, path='/', host='x'):
    """Sends one request on a connection and reads a response with a length."""
    s.sendall(b'GET %s HTTP/1.1\r\nHost: %s\r\n\r\n' % (path.encode(), host.encode()))
    return http_response(s)


def http_response(s):
    data = b''
    while b'\r\n\r\n' not in data:
        got = s.recv(65536)
        if not got:
            return None
        data += got
    head, _, body = data.partition(b'\r\n\r\n')
    want = 0
    for line in head.split(b'\r\n'):
        if line.lower().startswith(b'content-length:'):
            want = int(line.split(b':')[1])
    while len(body) < want:
        got = s.recv(65536)
        if not got:
            return None
        body += got
    return body


def http(idle=None, delay=0, body=b'ok', close=False):
    """A handler that speaks HTTP/1.1 with keep-alive."""
    def handle(c):
        c.settimeout(idle)
        f = c.makefile('rwb')
        try:
            while True:
                line = f.readline()
                if not line:
                    break
                while f.readline() not in (b'\r\n', b''):
                    pass
                if delay:
                    time.sleep(delay)
                f.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n' % (
                    len(body), b'Connection: close\r\n' if close else b'') + body)
                f.flush()
                if close:
                    break
        except OSError:
            pass
        f.close()
        c.close()
    return handle


def ready():
    """Says READY, and waits for the end."""
    def stop(*_):
        for pid in _children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os._exit(0)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print('READY', flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        readable, _, _ = select.select([0], [], [], end - time.monotonic())
        if readable and not os.read(0, 4096):
            break
    stop()
