"""Ships lines to a collector that reads and never answers."""
import form


def shipper(port):
    kept = []
    for i in form.every(0.4):
        if form.leaking or i < 4:
            kept.append(form.connect(port))
            kept[-1].sendall(b'line\n')


form.role('app', shipper, form.server('collector', form.drain))
form.ready()
