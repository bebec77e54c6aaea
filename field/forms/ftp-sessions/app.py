import ftplib
import sys
import time

left = []
while True:
    session = ftplib.FTP()
    session.connect('127.0.0.1', int(sys.argv[2]))
    session.login()
    session.nlst()
    if sys.argv[1] == 'leaking':
        left.append(session)
    else:
        session.quit()
    time.sleep(0.8)
