"""Each transfer gets a port of its own; nobody comes to some of them."""
import form


def work():
    kept = []
    for _ in form.every(0.4):
        l = form.listen()
        kept.append(l)
        if not form.leaking:
            l.close()
            kept.clear()


form.role('app', work)
form.ready()
