package leaks

import (
	"net"
	"net/http"
)

var hijacker net.Listener

// serveHijacker starts a server that takes over connections and never closes them.
func serveHijacker(Peer) (err error) {
	if hijacker, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	go http.Serve(hijacker, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"))
			keep(conn)
		}
	}))
	return nil
}

// hijacked has a client come to this process's server.
func hijacked(p Peer) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(p.URL + "/visit?" + hijacker.Addr().String())
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
