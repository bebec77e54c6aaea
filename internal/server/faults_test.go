package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

// webs are the forms of HTTP.
var webs = []string{"http", "https", "h2c"}

// client returns a client that speaks the server's protocol, and the URL it
// uses: HTTP/2 wherever that is to be had.
func (r *running) client(t testing.TB) (*http.Client, string) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	url := "http://" + r.addr
	switch r.cfg.Behaviour.Protocol {
	case "https":
		roots := x509.NewCertPool()
		require.True(t, roots.AppendCertsFromPEM([]byte(r.CA())))
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		transport.ForceAttemptHTTP2 = true
		url = "https://" + r.addr
	case "h2c":
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	return &http.Client{Transport: transport}, url
}

// fetch makes a request, and returns how far the answer came.
func fetch(c *http.Client, url string) (status int, body string, err error) {
	resp, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(read), err
}

func faulty(protocol string, ways ...string) scenario.Server {
	return scenario.Server{Protocol: protocol}.With(ResponsesKey.Is(ways), BodyKey.Is(100_000))
}

// What the client sees over HTTP/1 is always just this. Over HTTP/2 a client
// that writes at the moment of a reset may have the error of that, and then the
// end of the connection in place of the reset.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		way    string
		status int
		web    error // over HTTP/1
		web2   []error
	}{
		{wayClose, 0, io.EOF, []error{io.ErrUnexpectedEOF}},
		{wayReset, 0, syscall.ECONNRESET, []error{syscall.ECONNRESET, io.ErrUnexpectedEOF}},
		{wayCut, 200, io.ErrUnexpectedEOF, []error{io.ErrUnexpectedEOF}},
		{wayCutChunked, 200, io.ErrUnexpectedEOF, []error{io.ErrUnexpectedEOF}},
		{wayCutReset, 200, syscall.ECONNRESET, []error{syscall.ECONNRESET, io.ErrUnexpectedEOF}},
		{wayTruncated, 200, nil, nil},
	}
	for _, test := range tests {
		for _, protocol := range webs {
			t.Run(test.way+" over "+protocol, func(t *testing.T) {
				t.Parallel()
				server := start(t, faulty(protocol, test.way, wayWhole))
				if protocol != "http" { // the end of a new connection's greetings
					server = start(t, faulty(protocol, wayWhole, test.way))
				}
				c, url := server.client(t)
				if protocol != "http" {
					_, _, err := fetch(c, url)
					require.NoError(t, err)
				}
				status, body, err := fetch(c, url)
				require.Equal(t, test.status, status)
				switch {
				case test.way == wayTruncated:
					require.NoError(t, err)
				case protocol == "http":
					require.ErrorIs(t, err, test.web)
				default:
					require.True(t, slices.ContainsFunc(test.web2, func(e error) bool { return errors.Is(err, e) }), "%v", err)
				}
				switch {
				case status == 0:
					require.Empty(t, body)
				case protocol == "http":
					require.Len(t, body, 50_000)
				default: // net/http may lose the last frame when the connection ends
					require.Positive(t, len(body))
					require.LessOrEqual(t, len(body), 50_000)
				}
				server.working(t, 0)
				eventually(t, "it was cut", func() bool { return server.Served().Cut == 1 })

				// The next answer is whole, over a new connection.
				_, body, err = fetch(c, url)
				require.NoError(t, err)
				require.Len(t, body, 100_000)
			})
		}
	}
}

func TestBrokenAnswersWithoutASizeHaveAMiddle(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(ResponsesKey.Is([]string{wayCut, wayWhole})))
	_, body, err := fetch(server.http, "http://"+server.addr)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Len(t, body, brokenSize/2)
	_, body, err = fetch(server.http, "http://"+server.addr)
	require.NoError(t, err)
	require.Equal(t, "answered after 0s\n", body)
}

// Linux gives a reader what had come before the reset, however late it asks.
func TestWhatCameBeforeTheResetCanBeRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems throw it away")
	}
	t.Parallel()
	server := start(t, faulty("http", wayCutReset))
	resp, err := server.http.Get("http://" + server.addr)
	require.NoError(t, err)
	defer resp.Body.Close()
	server.served(t, Served{Received: 1, Cut: 1, Accepted: 1})
	body, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.Len(t, body, 50_000)
}

func TestBrokenAnswersBehindALimitMakeRoom(t *testing.T) {
	t.Parallel()
	for _, over := range []string{overWait, overClose} {
		for _, way := range []string{wayReset, wayCutReset, wayClose, wayTruncated} {
			server := start(t, scenario.Server{}.With(ResponsesKey.Is([]string{way, wayWhole}), MaxConnsKey.Is(1), OverLimitKey.Is(over)))
			_, _, err := fetch(server.http, "http://"+server.addr)
			require.Equal(t, way != wayTruncated, err != nil)
			eventually(t, "there is room again", func() bool {
				_, body, err := fetch(server.http, "http://"+server.addr)
				return err == nil && body == "answered after 0s\n"
			})
		}
	}
}

func TestAnswersFollowOneAnotherInTheOrderOfRequests(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(StatusKey.Is(503), ResponsesKey.Is([]string{wayWhole, wayCut, wayTruncated})))
	for range 3 {
		for _, want := range []error{nil, io.ErrUnexpectedEOF, nil} {
			status, _, err := fetch(server.http, "http://"+server.addr)
			require.Equal(t, 503, status)
			require.Equal(t, want, err)
		}
	}
	// A truncated answer came whole for all that the client can tell.
	server.served(t, Served{Received: 9, Answered: 3, Cut: 6, Reused: 3, Accepted: 6})
}

// net/http sends a GET again, without a word, when the connection that it
// reused is closed before any answer (persistConn.shouldRetryRequest in
// net/http/transport.go): the server sees it twice.
func TestCloseInPlaceOfAnAnswerIsHiddenOnAReusedConnection(t *testing.T) {
	t.Parallel()
	for _, way := range []string{wayClose, wayReset} {
		server := start(t, scenario.Server{}.With(ResponsesKey.Is([]string{wayWhole, way, wayWhole})))
		server.get(t)
		server.get(t)
		server.served(t, Served{Received: 3, Answered: 2, Cut: 1, Reused: 1, Accepted: 2})
	}
}

func TestAnswerThatNeverEnds(t *testing.T) {
	t.Parallel()
	for _, way := range []string{wayNoResponse, wayStall} {
		for _, protocol := range webs {
			t.Run(way+" over "+protocol, func(t *testing.T) {
				t.Parallel()
				server := start(t, faulty(protocol, way))
				c, url := server.client(t)
				ctx, leave := context.WithCancel(context.Background())
				defer leave()
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
				require.NoError(t, err)
				if way == wayNoResponse {
					context.AfterFunc(ctx, func() {})
					go func() {
						eventually(t, "it is at work", func() bool { return server.InProgress() == 1 })
						leave()
					}()
					_, err := c.Do(req)
					require.ErrorIs(t, err, context.Canceled)
				} else {
					resp, err := c.Do(req)
					require.NoError(t, err)
					defer resp.Body.Close()
					half := make([]byte, 50_000)
					_, err = io.ReadFull(resp.Body, half)
					require.NoError(t, err)
					require.EqualValues(t, 1, server.InProgress())
					leave()
					_, err = resp.Body.Read(half)
					require.ErrorIs(t, err, context.Canceled)
				}
				server.served(t, Served{Received: 1, Left: 1, Accepted: 1})
			})
		}
	}
}

func TestRowsThatAreNotAnswered(t *testing.T) {
	t.Parallel()
	for way, want := range map[string]error{wayClose: io.EOF, wayReset: syscall.ECONNRESET} {
		t.Run(way, func(t *testing.T) {
			server := start(t, overToyDB(ResponsesKey.Is([]string{wayWhole, way})))
			conn := open(t, server)
			query(t, conn)
			_, err := conn.Query(context.Background(), "SELECT 1")
			require.ErrorIs(t, err, want)
			server.served(t, Served{Received: 2, Answered: 1, Cut: 1, Reused: 1, Accepted: 1})
		})
	}
	t.Run("no response", func(t *testing.T) {
		server := start(t, overToyDB(ResponsesKey.Is([]string{wayNoResponse, wayWhole})))
		first := server.dial(t)
		send(t, first, "SELECT 1\n")
		server.working(t, 1)
		query(t, open(t, server))
		first.Close()
		server.served(t, Served{Received: 2, Answered: 1, Left: 1, Accepted: 2})
	})
}

func TestRowHasNoMiddle(t *testing.T) {
	require.ErrorContains(t, overToyDB(ResponsesKey.Is([]string{wayWhole, wayCut})).CheckFlags(), `--responses has "cut"`)
}

// net/http ends a connection on which it cannot write, and with something unread
// that is a reset in place of our FIN.
func TestWhatIsWrittenAfterHangingUpIsLostAndNoError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer peer.Close()
	accepted, err := l.Accept()
	require.NoError(t, err)
	c := newConn(accepted.(*net.TCPConn), &connections{})
	defer c.Close()
	send(t, c, "before")
	c.hangUp()
	send(t, c, "after")
	said, err := io.ReadAll(peer)
	require.NoError(t, err)
	require.Equal(t, "before", string(said))
}

func TestRedirectHasABodyAndLeadsToAWholeResponse(t *testing.T) {
	t.Parallel()
	for _, protocol := range webs {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			server := start(t, faulty(protocol, wayRedirect))
			c, url := server.client(t)
			c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			status, body, err := fetch(c, url)
			require.NoError(t, err)
			require.Equal(t, http.StatusFound, status)
			require.Len(t, body, 100_000)
			c.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
				require.Equal(t, movedPath, req.URL.Path)
				return nil
			}
			status, body, err = fetch(c, url)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status)
			require.Len(t, body, 100_000)
		})
	}
}
