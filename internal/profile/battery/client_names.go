package battery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"socketlab/internal/profile"
	"socketlab/internal/scratch"
)

// name is a host that only the program knows, by a file in the place of /etc/hosts. The
// domain test is reserved (RFC 6761).
const name = "profile.test"

// hosts gives a program an /etc/hosts of its own, in a user and mount namespace.
type hosts struct {
	dir  *scratch.Folder
	file string
}

// newHosts makes the file. The caller removes it.
func newHosts() (*hosts, error) {
	if _, err := exec.LookPath("unshare"); err != nil {
		return nil, fmt.Errorf("a name for one program needs a mount namespace: %w", err)
	}
	dir, err := scratch.New("hosts")
	if err != nil {
		return nil, err
	}
	h := &hosts{dir: dir, file: filepath.Join(dir.Path, "hosts")}
	err = h.point("127.0.0.1")
	if err == nil {
		// As old as such a file is: some look for a change of its time in whole seconds.
		old := time.Now().Add(-time.Hour)
		err = os.Chtimes(h.file, old, old)
	}
	if err != nil {
		return nil, errors.Join(err, h.remove())
	}
	if out, err := exec.Command("sh", "-c", h.wrap("true")).CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("a name for one program needs a mount namespace: %s", strings.TrimSpace(string(out))), h.remove())
	}
	return h, nil
}

// point gives the name an address.
func (h *hosts) point(addr string) error {
	// In place: the mount is of this file and not of its name.
	return os.WriteFile(h.file, []byte("127.0.0.1 localhost\n"+addr+" "+name+"\n"), 0o644) //nolint:gosec // the program may run as anybody
}

func (h *hosts) remove() error { return h.dir.Remove() }

// wrap returns a line for the shell that runs another one with the file.
func (h *hosts) wrap(command string) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	return "exec unshare --user --map-root-user --mount sh -c " +
		quote("mount --bind "+quote(h.file)+" /etc/hosts && exec sh -c "+quote(command))
}

// dnsChange moves the name to another address, and calls until that is asked.
func (t *trial) dnsChange() error {
	h, err := newHosts()
	if err != nil {
		return err
	}
	defer func() { _ = h.remove() }()
	if t.server, err = listen("127.0.0.1"); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(t.server.addr())
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		return err
	}
	moved := serve(l)
	defer moved.end()
	for _, s := range []*recorder{t.server, moved} {
		s.set(reaction{answer: body(16, "Connection: close")})
	}
	if err := t.startLine(h.wrap, "http", net.JoinHostPort(name, port)); err != nil {
		return err
	}
	if err := t.ok(); err != nil {
		return err
	}
	if err := h.point("127.0.0.2"); err != nil {
		return err
	}
	changed := time.Now()
	// Other experiments go on meanwhile, and must not make a call late.
	var asked time.Duration
	t.aside(func() {
		for asked < t.b.Wait && err == nil {
			asked = time.Since(changed)
			if err = t.ok(); err != nil || moved.look().requests > 0 {
				return
			}
			select {
			case <-time.After(lookAgain):
			case <-t.ctx.Done():
				err = context.Cause(t.ctx)
			}
		}
	})
	if err != nil {
		return err
	}
	if moved.look().requests == 0 {
		t.set("dns_change", profile.LongerThan(t.b.Wait))
		return nil
	}
	t.set("dns_change", profile.Took(asked), fmt.Sprintf("asked after %.1fs", asked.Seconds()))
	return nil
}

// lookAgain is how soon one call follows the other while the name has moved: less than by
// which times may differ.
const lookAgain = 100 * time.Millisecond

// proxy names the server as the proxy of a name.
func (t *trial) proxy() error {
	h, err := newHosts()
	if err != nil {
		return err
	}
	defer func() { _ = h.remove() }()
	if t.server, err = listen("127.0.0.1"); err != nil {
		return err
	}
	proxy := "http://" + t.server.addr()
	t.env = append(t.env, "http_proxy="+proxy, "HTTP_PROXY="+proxy, "no_proxy=", "NO_PROXY=")
	_, port, err := net.SplitHostPort(t.server.addr())
	if err != nil {
		return err
	}
	if err := t.startLine(h.wrap, "http", net.JoinHostPort(name, port)); err != nil {
		return err
	}
	r, err := t.call()
	if err != nil {
		return err
	}
	n := t.server.look()
	switch {
	case n.requests == 0:
		return fmt.Errorf("no request came: %s", r)
	case n.all[0].absolute:
		t.set("proxy_used", profile.Chosen("yes"))
	default:
		t.set("proxy_used", profile.Chosen("no"))
	}
	return nil
}
