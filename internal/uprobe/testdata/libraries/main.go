// The program holds connections of well-known packages at the lines that are marked.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"resty.dev/v3"
)

var kept []any

func main() {
	handler := http.NewServeMux()
	handler.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 64<<10))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	handler.HandleFunc("/upgrade", func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{}
		conn, err := upgrader.Upgrade(w, r, nil) // taken-over: 5
		must(err)
		kept = append(kept, conn)
	})
	server := httptest.NewServer(handler)
	to, err := url.Parse(server.URL)
	must(err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.ServeHTTP(w, r) // taken-over: 4
	}))
	postgres := "postgres://user@" + listen(servePostgres) + "/db?sslmode=disable&default_query_exec_mode=simple_protocol"
	redisAt := listen(serveRedis)
	fmt.Println("ready")
	_, err = os.Stdin.Read(make([]byte, 1)) // until the test looks
	must(err)
	ctx := context.Background()
	viaResty(server.URL)
	for range 3 {
		viaWebsocket(server.URL)
	}
	for range 2 {
		throughProxy(proxied.URL)
	}
	ofPool(ctx, postgres)
	ofRows(ctx, postgres)
	ofRedis(ctx, redisAt)
	ofKubernetes(ctx, server.URL)
	time.Sleep(300 * time.Millisecond) // until both ends of an upgrade have done it
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func viaResty(address string) {
	client := resty.New()
	for range 7 {
		response, err := client.R().SetResponseDoNotParse(true).Get(address + "/long") // body-not-finished: 7
		must(err)
		kept = append(kept, response)
	}
}

func viaWebsocket(address string) {
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(address, "http")+"/upgrade", nil) // open: 3
	must(err)
	kept = append(kept, conn)
}

func throughProxy(address string) {
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(address, "http")+"/upgrade", nil) // open: 2
	must(err)
	kept = append(kept, conn)
}

func ofPool(ctx context.Context, address string) {
	pool, err := pgxpool.New(ctx, address)
	must(err)
	for range 2 {
		conn, err := pool.Acquire(ctx) // in-use: 2
		must(err)
		kept = append(kept, conn)
	}
}

func ofRows(ctx context.Context, address string) {
	db, err := sql.Open("pgx", address)
	must(err)
	for range 3 {
		rows, err := db.QueryContext(ctx, "SELECT 1") // in-use: 3
		must(err)
		kept = append(kept, rows)
	}
}

func ofRedis(ctx context.Context, address string) {
	client := redis.NewClient(&redis.Options{Addr: address, Protocol: 2, DisableIdentity: true})
	for range 3 {
		conn := client.Conn()
		must(conn.Ping(ctx).Err()) // open: 3
		kept = append(kept, conn)
	}
}

func ofKubernetes(ctx context.Context, address string) {
	client, err := rest.UnversionedRESTClientFor(&rest.Config{Host: address, ContentConfig: rest.ContentConfig{
		NegotiatedSerializer: serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion(),
	}})
	must(err)
	for range 2 {
		stream, err := client.Get().AbsPath("/long").Stream(ctx) // body-not-finished: 2
		must(err)
		kept = append(kept, stream)
	}
}

// listen serves each connection in a goroutine of its own, and returns the address.
func listen(serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		for {
			conn, err := listener.Accept()
			must(err)
			go serve(conn)
		}
	}()
	return listener.Addr().String()
}

// servePostgres lets everybody in and answers each query with a row.
func servePostgres(conn net.Conn) {
	backend := pgproto3.NewBackend(conn, conn)
	_, err := backend.ReceiveStartupMessage()
	must(err)
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	backend.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for {
		must(backend.Flush())
		if _, err := backend.Receive(); err != nil {
			return
		}
		backend.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("n"), DataTypeOID: 25, DataTypeSize: -1}}})
		backend.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("1")}})
		backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

// serveRedis knows the command ping, and no other. A command is an array of strings.
func serveRedis(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		parts := 0
		if _, err := fmt.Sscanf(line, "*%d", &parts); err != nil {
			return
		}
		answer := "-ERR unknown command\r\n"
		for range 2 * parts { // each string has a line with its length before it
			word, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.EqualFold(word, "ping\r\n") {
				answer = "+PONG\r\n"
			}
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}
