package battery

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever a program says of its calls, each call ends once: with what is said of it, or
// with the end of the program.
func FuzzCalls(f *testing.F) {
	f.Add("ready\n1 ok\n2 ECONNRESET\n3 ok\n")
	f.Add("ok\nok\n3 ok\n3 ok\n1\n-1 x\n99999999999999999999 x")
	f.Add("2 \r\n\x1b[31m\n\n" + strings.Repeat("x", 100))
	f.Fuzz(func(t *testing.T, said string) {
		c := &calls{in: io.Discard, url: "http://x", waiting: map[int]chan string{}}
		var answers []<-chan string
		for range 3 {
			answer, err := c.ask()
			require.NoError(t, err)
			answers = append(answers, answer)
		}
		c.read(strings.NewReader(said))
		for _, answer := range answers {
			if text, ok := <-answer; ok {
				require.Contains(t, said, text)
				require.Equal(t, strings.TrimSpace(text), text)
				require.NotContains(t, Result{Error: text}.String(), "\x1b")
			}
		}
		_, err := c.ask()
		require.ErrorIs(t, err, errEnded)
	})
}

// written is a connection on which everything was written before.
type written struct {
	net.Conn
	io.Reader
}

func (w written) Read(p []byte) (int, error)       { return w.Reader.Read(p) }
func (written) SetReadDeadline(_ time.Time) error  { return nil }
func (written) SetWriteDeadline(_ time.Time) error { return nil }

// Whatever a server answers, it is read to its end or refused, and what it says of its
// connections is a time that can be.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=5\r\nContent-Length: 2\r\n\r\nok")
	f.Add("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=-5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
	f.Add("HTTP/1.0 408\r\nKeep-Alive: timeout=9999999999\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := newProbe(written{Reader: strings.NewReader(text)})
		r, err := p.receive(time.Time{})
		if err == nil {
			require.GreaterOrEqual(t, r.StatusCode, 200)
			require.GreaterOrEqual(t, keepAliveSays(r.Header), time.Duration(0))
		}
		e := newProbe(written{Reader: strings.NewReader(text)}).awaitEnd(time.Now(), time.Time{})
		require.Equal(t, byFIN, e.How)
		require.Contains(t, text, e.Status)
		require.GreaterOrEqual(t, keepAliveSays(http.Header{"Keep-Alive": {text}}), time.Duration(0))
	})
}
