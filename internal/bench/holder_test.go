package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"socketlab/internal/worker/netns"
)

// superviseNamespace is the supervisor of the namespace in which sockets are counted.
func superviseNamespace(context.Context, []string, io.Writer) error {
	if code := netns.Supervise(); code != 0 {
		return fmt.Errorf("the supervisor ended with code %d", code)
	}
	return nil
}

// holdConnections holds both ends of connections to an address of its own,
// idle, until standard input ends.
func holdConnections(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("worker-hold", flag.ContinueOnError)
	listen := f.String("listen", "", "")
	n := f.Int("connections", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	// Probes, which Go sends every 15 s on a connection, would be thousands a
	// second here.
	l, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	defer l.Close()
	d := net.Dialer{KeepAlive: -1, Timeout: 10 * time.Second}
	ends := make([]net.Conn, 0, 2**n)
	defer func() {
		for _, c := range ends {
			c.Close()
		}
	}()
	for range *n {
		client, err := d.DialContext(ctx, "tcp", l.Addr().String())
		if err != nil {
			return fmt.Errorf("hold connection %d of %d: %w", len(ends)/2+1, *n, err)
		}
		ends = append(ends, client)
		server, err := l.Accept()
		if err != nil {
			return fmt.Errorf("hold connection %d of %d: %w", len(ends)/2+1, *n, err)
		}
		ends = append(ends, server)
		// They are reset when this process ends, and none lingers.
		err = errors.Join(client.(*net.TCPConn).SetLinger(0), server.(*net.TCPConn).SetLinger(0))
		if err != nil {
			return err
		}
	}
	fmt.Fprintln(out, ready)
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is the sign, however it comes
	return nil
}
