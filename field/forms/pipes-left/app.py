import subprocess

import form


def jobs():
    done = []
    for _ in form.every(0.4):
        job = subprocess.Popen(['echo', 'done'], stdout=subprocess.PIPE)
        job.stdout.readline()
        job.wait()
        if form.leaking:
            done.append(job)
        else:
            job.stdout.close()


form.role('app', jobs)
form.ready()
