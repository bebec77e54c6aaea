// Package life is the record of one TCP connection, from socket() until it is gone:
// its calls, its segments, and what each end held after each of them. Package play
// makes such records.
package life

import "time"

// Schema names the form of a record in JSON. Names are only ever added.
const Schema = "sockwatch.life/v1"

// Variant is one course that a connection can take.
type Variant struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// Variants lists all of them, the usual course first.
func Variants() []Variant {
	return []Variant{
		{"normal", "A handshake, a request and a response, and a close from each end"},
		{"refused", "No program listens at the port"},
		{"reset", "The server closes and has not read the request"},
		{"half-close", "The client ends its direction only, and the server still sends"},
		{"lost-fin", "The network loses the client's FIN"},
		{"simultaneous-close", "Both ends close before they hear of each other's close"},
		{"tls", "A TLS 1.3 handshake before the request"},
		{"backlog-full", "The server's accept queue is full when the client connects"},
		{"keep-alive-expiry", "The network fails, and only keep-alive probes notice"},
		{"linger-0", "The client closes with SO_LINGER set to 0"},
	}
}

// Names lists the names of all variants.
func Names() []string {
	var names []string
	for _, v := range Variants() {
		names = append(names, v.Name)
	}
	return names
}

// Record is one connection's life. The rows are in the order of time.
type Record struct {
	Schema  string `json:"schema"`
	Variant string `json:"variant"`
	Title   string `json:"title"`
	// ServerPort and ClientPort are the ports of the two ends, both at 127.0.0.1.
	ServerPort uint16 `json:"server_port"`
	ClientPort uint16 `json:"client_port"`
	Rows       []Row  `json:"rows"`
}

// Those who act in a row.
const (
	Client      = "client"
	Server      = "server"
	OtherClient = "other client"
	Network     = "network"
	Kernel      = "kernel"
)

// Row is one step: a call, a segment, or an event of the network or the kernel.
type Row struct {
	// AtMS is the time since the first row, in milliseconds.
	AtMS float64 `json:"at_ms"`
	// Who acts. Of a segment it is the end that sends.
	Who string `json:"who"`
	// Call is the system call or the event; "" of a segment. Result is what it
	// returned, as a program sees it; "" where that says nothing.
	Call   string `json:"call,omitempty"`
	Result string `json:"result,omitempty"`
	// Segment is nil of a call.
	Segment *Segment `json:"segment,omitempty"`
	// Text says in one sentence what happens.
	Text string `json:"text"`
	// Client and Server are the two ends after the step.
	Client End `json:"client"`
	Server End `json:"server"`
	// Listener is the queue of the server's listening socket; nil where there is none.
	Listener *Listener `json:"listener,omitempty"`
}

// Segment is a TCP segment as it arrived at the other end's network.
type Segment struct {
	// Flags are those that are set, joined: "SYN-ACK".
	Flags string `json:"flags"`
	// Seq and Ack are relative to the first sequence number of the end that sent what
	// they count; Ack is 0 where the flag ACK is not set.
	Seq uint32 `json:"seq"`
	Ack uint32 `json:"ack"`
	// Bytes is the length of the data.
	Bytes int `json:"bytes"`
	// Holds says what the data are, where they are more than text: "ClientHello".
	Holds string `json:"holds,omitempty"`
	// Lost says that the network dropped it.
	Lost bool `json:"lost,omitempty"`
	// Retransmission says that all of it was sent before, and KeepAlive that it is a
	// keep-alive probe: no data, and the sequence number before the next.
	Retransmission bool `json:"retransmission,omitempty"`
	KeepAlive      bool `json:"keep_alive,omitempty"`
}

// None is the state of an end that has no socket.
const None = "none"

// End describes one end of the connection: its state, and what it holds.
type End struct {
	// State is the kernel's name of the state, or [None]. Before the first SYN the
	// server's is that of its listening socket.
	State string `json:"state"`
	// Descriptor is the connection's descriptor in the program; 0 if there is none.
	Descriptor int `json:"descriptor,omitempty"`
	// Unread are the bytes that were received and not read, Unacknowledged those that
	// were sent and not acknowledged. In a state after FIN, the FIN counts as one.
	Unread         uint32 `json:"unread_bytes,omitempty"`
	Unacknowledged uint32 `json:"unacknowledged_bytes,omitempty"`
	// The memory of the two buffers: what is in use, with the kernel's overhead, and
	// the limit. 0 where there is none.
	RecvMemory uint32 `json:"recv_memory_bytes,omitempty"`
	RecvBuffer uint32 `json:"recv_buffer_bytes,omitempty"`
	SendMemory uint32 `json:"send_memory_bytes,omitempty"`
	SendBuffer uint32 `json:"send_buffer_bytes,omitempty"`
	// Timer is the kernel's timer that runs, ExpiresMS the time until it does, and
	// Unanswered how many retransmissions or probes had no answer yet.
	Timer      string  `json:"timer,omitempty"`
	ExpiresMS  float64 `json:"expires_ms,omitempty"`
	Unanswered uint8   `json:"unanswered,omitempty"`
}

// Listener is the accept queue of a listening socket: the connections that wait in
// it, and its backlog. The queue holds one more than its backlog.
type Listener struct {
	Waiting uint32 `json:"waiting"`
	Backlog uint32 `json:"backlog"`
}

// Millis is a time in milliseconds, to a microsecond.
func Millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
