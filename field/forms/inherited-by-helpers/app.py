"""A scheduler starts a helper for each job that it takes from a server."""
import os
import subprocess

import form


def scheduler(port):
    helpers = []
    for i in form.every(0.5):
        s = form.connect(port)
        s.sendall(b'job\n')
        s.recv(10)
        os.set_inheritable(s.fileno(), form.leaking)
        helpers.append(subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', 'sleep', '600'], close_fds=not form.leaking))
        s.close()


form.role('app', scheduler, form.server('server', form.lines))
form.ready()
