// The program holds connections of several kinds at the lines that are marked. It is
// built by several versions of Go, and its go.mod is made by the test.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

var kept []any

func main() {
	handler := http.NewServeMux()
	handler.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 64<<10))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	handler.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	handler.HandleFunc("/take", take)
	server := httptest.NewServer(handler)
	two := httptest.NewUnstartedServer(handler)
	two.EnableHTTP2 = true
	two.StartTLS()
	listener := echo()
	fmt.Println("ready")
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil { // until the test looks
		panic(err)
	}
	for range make([]int, 4) {
		stream(two)
	}
	go readOn(two.Client(), two.URL)
	for range make([]int, 2) {
		go readOn(http.DefaultClient, server.URL)
	}
	go readSlowly(server.URL)
	go deep(server.URL)
	for range make([]int, 3) {
		upgrade(server.URL)
	}
	for range make([]int, 2) {
		go wait(server.URL)
	}
	full := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	hold(full, server.URL)
	for range make([]int, 5) {
		go queue(full, server.URL)
	}
	for range make([]int, 2) {
		go dialForLong(&http.Client{Transport: &http.Transport{DialContext: never}})
	}
	database(listener)
	for range make([]int, 3) {
		dial(listener)
	}
	dialOneFamily(listener)
	time.Sleep(300 * time.Millisecond) // until those of wait have no more to do
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// take upgrades the connection and does nothing with it.
func take(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack() // taken-over: 3
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: nothing\r\n\r\n")
	kept = append(kept, conn)
}

// stream leaves responses open on one connection of HTTP/2.
func stream(server *httptest.Server) {
	response, err := server.Client().Get(server.URL + "/long") // streams: 4
	if err != nil || response.ProtoMajor != 2 {
		panic(fmt.Sprint(response, err))
	}
	kept = append(kept, response)
}

func upgrade(url string) {
	request, err := http.NewRequest(http.MethodGet, url+"/take", nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "nothing")
	response, err := http.DefaultClient.Do(request) // taken-over: 3
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		panic(fmt.Sprint(response, err))
	}
	kept = append(kept, response)
}

// readOn reads what there is, and waits for more.
func readOn(client *http.Client, url string) {
	response, err := client.Get(url + "/long") // reading: 3
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
}

// readSlowly reads from what has arrived.
func readSlowly(url string) {
	response, err := http.Get(url + "/long") // body-not-finished: 1
	if err != nil {
		panic(err)
	}
	for one := make([]byte, 1); err == nil; _, err = response.Body.Read(one) {
		time.Sleep(100 * time.Millisecond)
	}
}

// deep sends its request below 80 frames of the standard library, as clients do that have a
// chain of middleware. The compiler inlines AllowQuerySemicolons: its closures have names of main.
func deep(address string) {
	to, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	var chain http.Handler = httputil.NewSingleHostReverseProxy(to)
	for range make([]int, 35) {
		chain = http.AllowQuerySemicolons(chain)
	}
	chain.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/long", nil)) // reading: 1
}

func wait(url string) {
	_, _ = http.Get(url + "/slow") // awaiting-response: 2
}

func hold(full *http.Client, url string) {
	response, err := full.Get(url + "/long") // body-not-finished: 1
	if err != nil {
		panic(err)
	}
	kept = append(kept, response)
}

func queue(full *http.Client, url string) {
	_, _ = full.Get(url + "/long") // waiting-for-connection: 5
}

func dialForLong(client *http.Client) {
	_, _ = client.Get("http://192.0.2.1/") // dialling: 2
}

func never(context.Context, string, string) (net.Conn, error) { select {} }

func dialOneFamily(listener net.Listener) {
	conn, err := net.Dial("tcp4", listener.Addr().String()) // open: 1
	if err != nil {
		panic(err)
	}
	kept = append(kept, conn)
}

func dial(listener net.Listener) {
	conn, err := net.Dial("tcp", listener.Addr().String()) // open: 3
	if err != nil {
		panic(err)
	}
	kept = append(kept, conn)
}

// database leaves rows and transactions open, and one connection idle.
func database(listener net.Listener) {
	db := sql.OpenDB(connector{listener.Addr().String()})
	ctx := context.Background()
	query(db)
	query(db)
	begin(ctx, db)
	if err := db.PingContext(ctx); err != nil { // idle: 1
		panic(err)
	}
}

func query(db *sql.DB) {
	rows, err := db.Query("") // in-use: 2
	if err != nil {
		panic(err)
	}
	kept = append(kept, rows)
}

func begin(ctx context.Context, db *sql.DB) {
	tx, err := db.BeginTx(ctx, nil) // in-use: 1
	if err != nil {
		panic(err)
	}
	kept = append(kept, tx)
}

func echo() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	return listener
}

// connector is a driver of a database that answers each query with no rows.
type connector struct{ address string }

func (c connector) Driver() driver.Driver { return nil }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	return &session{name: "session", in: bufio.NewReader(conn), conn: conn}, nil
}

type session struct {
	name string
	in   *bufio.Reader
	conn net.Conn
}

func (s *session) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not supported") }
func (s *session) Close() error                        { return s.conn.Close() }
func (s *session) Begin() (driver.Tx, error)           { return s, nil }
func (s *session) Commit() error                       { return nil }
func (s *session) Rollback() error                     { return nil }

func (s *session) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	if _, err := io.WriteString(s.conn, "x"); err != nil {
		return nil, err
	}
	_, err := s.in.ReadByte()
	return none{}, err
}

type none struct{}

func (none) Columns() []string         { return []string{"x"} }
func (none) Close() error              { return nil }
func (none) Next([]driver.Value) error { return nil }
