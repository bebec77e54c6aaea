package play

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"socketlab/internal/life"
	"socketlab/internal/socketstats"
)

// The calls never block, so that the player can let segments through. Where a
// program's call would block, a second row says when it returns.

const client, server = socketstats.Client, socketstats.Server

func loopback(port uint16) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}}
}

// errno is the result of a call that fails as a program sees it.
func errno(err error) string {
	var number unix.Errno
	if !errors.As(err, &number) {
		return err.Error()
	}
	return unix.ErrnoName(number)
}

func newSocket() (fd int, result string, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, fmt.Sprintf("descriptor %d", fd), err
}

// listen makes the server's listening socket.
func (p *player) listen(backlog int) {
	p.call(life.Server, "socket()", "The server's program makes a socket: only a descriptor so far.", func() (result string, err error) {
		p.listener, result, err = newSocket()
		return result, err
	})
	p.call(life.Server, "bind()", "It gives the socket its address, 127.0.0.1:8080.", func() (string, error) {
		return "", unix.Bind(p.listener, loopback(serverPort))
	})
	p.call(life.Server, fmt.Sprintf("listen(%d)", backlog), "From now on its kernel completes handshakes and queues connections.", func() (string, error) {
		return "", unix.Listen(p.listener, backlog)
	})
}

// socket makes the client's socket.
func (p *player) socket() {
	p.call(life.Client, "socket()", "The client's program makes a socket of its own.", func() (result string, err error) {
		p.fd[client], result, err = newSocket()
		return result, err
	})
}

// connect begins the client's connect, which returns with connected.
func (p *player) connect() {
	p.call(life.Client, "connect()", "Its kernel takes a free port and sends a SYN; the program waits.", func() (string, error) {
		if err := unix.Connect(p.fd[client], loopback(serverPort)); !errors.Is(err, unix.EINPROGRESS) {
			return "", errors.Join(errors.New("it did not wait"), err)
		}
		name, err := unix.Getsockname(p.fd[client])
		if err == nil {
			p.record.ClientPort = uint16(name.(*unix.SockaddrInet4).Port)
		}
		return "", err
	})
}

func (p *player) connected(text string) {
	p.call(life.Client, "connect() returns", text, func() (string, error) {
		code, err := unix.GetsockoptInt(p.fd[client], unix.SOL_SOCKET, unix.SO_ERROR)
		if code != 0 {
			return errno(unix.Errno(code)), err
		}
		return "0", err
	})
}

func (p *player) accept() {
	p.call(life.Server, "accept()", "Only now the server's program has a descriptor of the connection.", func() (string, error) {
		fd, _, err := unix.Accept4(p.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		p.fd[server] = max(fd, 0)
		return fmt.Sprintf("descriptor %d", fd), err
	})
}

// handshake opens the connection.
func (p *player) handshake() {
	p.socket()
	p.connect()
	p.segment(client, "SYN", "The SYN says where the client's sequence numbers begin.")
	p.synAck()
}

// synAck is the rest of the handshake after the SYN.
func (p *player) synAck() {
	p.segment(server, "SYN-ACK", "The server's kernel agrees, and says where its own begin.")
	p.segment(client, "ACK", "The handshake is done; the connection waits in the accept queue.")
	p.connected("The program may send. It cannot see whether accept() was called.")
	p.accept()
}

func (p *player) write(end socketstats.End, data, text string) {
	p.call(end.String(), "write()", text, func() (string, error) {
		n, err := unix.Write(p.fd[end], []byte(data))
		return fmt.Sprintf("%d bytes", n), err
	})
}

// read reads what is there: data, the peer's end, or an error.
func (p *player) read(end socketstats.End, text string) {
	p.call(end.String(), "read()", text, func() (string, error) {
		n, err := unix.Read(p.fd[end], make([]byte, 4096))
		switch {
		case errors.Is(err, unix.EAGAIN):
			return "", errors.New("nothing to be read is there")
		case err != nil:
			return errno(err), nil
		case n == 0:
			return "0: end of file", nil
		}
		return fmt.Sprintf("%d bytes", n), nil
	})
}

// close closes the end's descriptor.
func (p *player) close(end socketstats.End, text string) {
	p.call(end.String(), "close()", text, func() (string, error) {
		fd := p.fd[end]
		p.fd[end] = 0
		return "", unix.Close(fd)
	})
}

const (
	request  = "GET / HTTP/1.1\r\n\r\n"
	response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
)

// ask sends the client's request, which the server's kernel acknowledges.
func (p *player) ask() {
	p.write(client, request, "The request is copied into the send buffer.")
	p.segment(client, "PSH-ACK", "The request arrives in the server's receive buffer.")
	p.segment(server, "ACK", "Acknowledged: the client's kernel drops its copy.")
}

// exchange is a request and its response.
func (p *player) exchange() {
	p.ask()
	p.read(server, "The server's program takes the request out of the buffer.")
	p.answer()
}

// answer is the response and its way to the client's program.
func (p *player) answer() {
	p.write(server, response, "The server's program sends its response.")
	p.segment(server, "PSH-ACK", "The response arrives in the client's receive buffer.")
	p.segment(client, "ACK", "The client's kernel acknowledges it.")
	p.read(client, "The client's program takes the response out of the buffer.")
}

// goodbye is the client's close, then the server's.
func (p *player) goodbye() {
	p.close(client, "The client's descriptor is gone, its connection is not.")
	p.segment(client, "FIN-ACK", "The FIN says that the client sends no more data.")
	p.segment(server, "ACK", "Acknowledged. The kernel cannot close for the server's program.")
	p.serverCloses()
}

// serverCloses is the close of the server, which has had the client's FIN.
func (p *player) serverCloses() {
	p.read(server, "Here the program hears of the FIN. If it never closes, it leaks.")
	p.close(server, "The server's program closes, too.")
	p.segment(server, "FIN-ACK", "The FIN of the other direction.")
	p.segment(client, "ACK", "The end that closed first keeps TIME_WAIT for a minute.")
}
