package play

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"socketlab/internal/life"
)

// plays are the variants by name.
var plays = map[string]func(*player){
	"normal": func(p *player) {
		p.listen(10)
		p.handshake()
		p.exchange()
		p.goodbye()
	},
	"refused":            refused,
	"reset":              reset,
	"half-close":         halfClose,
	"lost-fin":           lostFIN,
	"simultaneous-close": simultaneousClose,
	"tls":                overTLS,
	"backlog-full":       backlogFull,
	"keep-alive-expiry":  keepAliveExpiry,
	"linger-0":           linger0,
}

func refused(p *player) {
	p.socket()
	p.connect()
	p.segment(client, "SYN", "The SYN arrives, and no socket listens at the port.")
	p.segment(server, "RST-ACK", "The server's kernel refuses with a reset; no program takes part.")
	p.connected("Refused at once: the machine is up, and the server is not.")
	p.close(client, "The descriptor has to be closed all the same.")
}

func reset(p *player) {
	p.listen(10)
	p.handshake()
	p.ask()
	p.close(server, "The request is unread, so its kernel resets (RFC 2525, 2.17).")
	p.segment(server, "RST-ACK", "It ends the connection at both ends: no FIN, no TIME_WAIT.")
	p.read(client, "The client's program hears of it with its next call.")
	p.close(client, "Its descriptor was still open, with no connection behind it.")
}

func halfClose(p *player) {
	p.listen(10)
	p.handshake()
	p.ask()
	p.read(server, "The server's program takes the request out of the buffer.")
	p.call(life.Client, "shutdown(SHUT_WR)", "The client has sent all, ends its own direction, and still reads.", func() (string, error) {
		return "", unix.Shutdown(p.fd[client], unix.SHUT_WR)
	})
	p.segment(client, "FIN-ACK", "The FIN arrives. The server may still send.")
	p.segment(server, "ACK", "The FIN is acknowledged. The connection is half closed.")
	p.read(server, "End of file: the server's program has the whole request.")
	p.answer()
	p.close(server, "The server's program closes its direction.")
	p.segment(server, "FIN-ACK", "The second FIN ends the connection.")
	p.segment(client, "ACK", "The end that shut down first has TIME_WAIT.")
	p.close(client, "The client's descriptor; TIME_WAIT goes on without it.")
}

func lostFIN(p *player) {
	p.listen(10)
	p.handshake()
	p.exchange()
	p.close(client, "The client's program is done; its kernel does the rest.")
	p.lose(client, "FIN-ACK", "The network loses the FIN; the server's kernel knows nothing of it.")
	p.segment(client, "FIN-ACK", "No ACK came, so the client's kernel sends the FIN again.")
	p.segment(server, "ACK", "Now the server's kernel acknowledges it.")
	p.serverCloses()
}

func simultaneousClose(p *player) {
	p.listen(10)
	p.handshake()
	p.exchange()
	p.close(client, "The client's program closes; its FIN is on its way.")
	p.close(server, "So does the server's; both FINs are on their way.")
	p.segment(client, "FIN-ACK", "The server expected an ACK of its FIN, and gets a FIN.")
	p.segment(server, "FIN-ACK", "So does the client.")
	p.segment(server, "ACK", "The client's FIN is acknowledged: this end is done.")
	p.segment(client, "ACK", "So is the server's. Both closed first, and both have TIME_WAIT.")
}

func backlogFull(p *player) {
	p.listen(0)
	p.call(life.OtherClient, "connect()", "It is not accepted, and fills the queue: backlog 0 has room for one.", func() (string, error) {
		fd, _, err := newSocket()
		if err != nil {
			return "", err
		}
		p.others = append(p.others, fd)
		if err := unix.Connect(fd, loopback(serverPort)); !errors.Is(err, unix.EINPROGRESS) {
			return "", errors.Join(errors.New("it did not wait"), err)
		}
		for range 3 { // of its handshake
			held, err := p.queue.Next(patience)
			if err == nil {
				err = p.queue.Accept(held)
			}
			if err != nil {
				return "", err
			}
		}
		return "0", nil
	})
	p.socket()
	p.connect()
	p.segment(client, "SYN", "The server's kernel ignores the SYN: its accept queue is full.")
	p.segment(client, "SYN", "The client's kernel tries again; connect() waits, with no error.")
	p.call(life.Server, "accept()", "The server's program takes the other connection: room again.", func() (string, error) {
		fd, _, err := unix.Accept4(p.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err == nil {
			p.others = append(p.others, fd)
		}
		return fmt.Sprintf("descriptor %d", fd), err
	})
	p.segment(client, "SYN", "The next SYN finds room. Users see a slow connect, and no failure.")
	p.synAck()
	p.exchange()
	p.goodbye()
}

func keepAliveExpiry(p *player) {
	p.listen(10)
	p.socket()
	p.call(life.Client, "setsockopt(SO_KEEPALIVE)", "Probes after 1 s of silence, then every second, 2 at most.", func() (string, error) {
		return "", errors.Join(
			unix.SetsockoptInt(p.fd[client], unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1),
			unix.SetsockoptInt(p.fd[client], unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 1),
			unix.SetsockoptInt(p.fd[client], unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 1),
			unix.SetsockoptInt(p.fd[client], unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 2),
		)
	})
	p.connect()
	p.segment(client, "SYN", "The usual handshake begins.")
	p.synAck()
	p.segment(client, "ACK", "A probe: a sequence number too low, which asks for an ACK.")
	p.segment(server, "ACK", "The server's kernel answers, also where its program hangs.")
	p.call(life.Network, "fails", "From now on every segment is lost, and neither end can see it.", nil)
	p.lose(client, "ACK", "The first probe without an answer.")
	p.lose(client, "ACK", "The second one.")
	p.lose(client, "RST-ACK", "The client's kernel gives up. Its reset is lost, too.")
	p.read(client, "The client's program hears of it with its next call.")
	p.close(client, "The server's end has no timer: without keep-alive it stays.")
}

func linger0(p *player) {
	p.listen(10)
	p.handshake()
	p.exchange()
	p.call(life.Client, "setsockopt(SO_LINGER)", "On, with 0 seconds: close() is to drop the connection.", func() (string, error) {
		return "", unix.SetsockoptLinger(p.fd[client], unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
	p.close(client, "Its kernel sends no FIN, and drops what it had not sent yet.")
	p.segment(client, "RST-ACK", "A reset in place of a FIN: no TIME_WAIT, and no orderly end.")
	p.read(server, "The server's program gets an error in place of an end of file.")
	p.close(server, "Its descriptor was still open.")
}
