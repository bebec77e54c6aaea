package early413

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// client is a client of the upload service.
type client struct {
	addr string
	send int64
}

// NewClient returns a client of the upload service.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{addr: t.Addr, send: int64(t.Send)}
}

// Call sends an upload, and then reads the response.
func (c *client) Call(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: uploads\r\nContent-Length: %d\r\n\r\n", c.send); err != nil {
		return err
	}
	if _, err := io.CopyN(conn, zeros{}, c.send); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// zeros are what is uploaded.
type zeros struct{}

// Read fills p.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
