import sys
import time

import form

kept = []
while True:
    if form.leaking or not kept:
        kept.append(form.connect(int(sys.argv[2])))
    kept[-1].sendall(b'job\n')
    kept[-1].recv(10)
    time.sleep(0.5)
