#!/usr/bin/env bash
# Disconnect(5000) of the MQTT client for Go waits for nothing, and reports delivered messages as lost.
#
# Version   github.com/eclipse/paho.mqtt.golang v1.5.1, go1.26.9; mqtt 5.16.0 (npm), Node 20.20.2.
# Expected  Disconnect will "end the connection with the server, but not before waiting the
#           specified number of milliseconds to wait for existing work to be completed". Three
#           messages of QoS 1, a server that acknowledges after 300 ms: Disconnect(5000) returns
#           after 300 ms, the messages' tokens have no error. (Or after 5 s, read literally.)
# Real      It returns at once. What it waits for is that its own DISCONNECT is written. The
#           server gets the messages, DISCONNECT and EOF within a millisecond, takes the messages,
#           and has nobody to acknowledge them to. The tokens say "connection lost before Publish
#           completed". end() of mqtt.js waits for the acknowledgements and then disconnects.
# Matters   The customary Disconnect(250) at the end of a program is no grace period at all,
#           whatever its number. Who trusts the tokens sends the messages again: each comes twice.
# Seen      Go, Disconnect(5000), QoS 1: at once; 3 x connection lost before Publish completed; server: 3 PUBLISH, DISCONNECT before its acknowledgements
#           Go, Disconnect(5000), QoS 2: at once; 3 x connection lost before Publish completed; server: 3 PUBLISH, DISCONNECT before its acknowledgements
#           Go, each token waited for, QoS 1: 3 x no error; server: 3 PUBLISH, DISCONNECT after its acknowledgements
#           Node, end(), QoS 1: 3 x no error; server: 3 PUBLISH, DISCONNECT after its acknowledgements
#           (2026-12-01)
set -euo pipefail
for tool in go npm; do command -v "$tool" >/dev/null || { echo "needs go, node and npm" >&2; exit 77; }; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . mqtt@5.16.0 >/dev/null
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/eclipse/paho.mqtt.golang@v1.5.1 >/dev/null 2>&1
cat >end.mjs <<'JS'
import mqtt from 'mqtt'
const client = mqtt.connect(process.argv[2], { reconnectPeriod: 0 })
client.on('error', () => {})
client.on('connect', () => {
  for (let i = 0; i < 3; i++) client.publish('topic', 'x', { qos: 1 }, err => console.log(err?.message ?? 'no error'))
  client.end()
})
JS
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// serve takes one client, acknowledges its messages 300 ms after each, and says what it saw.
func serve(l net.Listener, saw chan<- string) {
	c, err := l.Accept()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	var mu sync.Mutex
	published, acknowledged, when := 0, 0, "never"
	answer := func(p packets.ControlPacket) {
		mu.Lock()
		defer mu.Unlock()
		if p.Write(c) == nil {
			acknowledged++
		}
	}
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			break
		}
		mu.Lock()
		switch p := p.(type) {
		case *packets.ConnectPacket:
			packets.NewControlPacket(packets.Connack).Write(c)
		case *packets.PublishPacket:
			published++
			ack := packets.ControlPacket(&packets.PubackPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Puback}, MessageID: p.MessageID})
			if p.Qos == 2 {
				ack = &packets.PubrecPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Pubrec}, MessageID: p.MessageID}
			}
			time.AfterFunc(300*time.Millisecond, func() { answer(ack) })
		case *packets.DisconnectPacket:
			when = "before"
			if acknowledged == published {
				when = "after"
			}
		}
		mu.Unlock()
	}
	saw <- fmt.Sprintf("server: %d PUBLISH, DISCONNECT %s its acknowledgements", published, when)
}

func run(name string, client func(url string) string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	saw := make(chan string, 1)
	go serve(l, saw)
	said := client("tcp://" + l.Addr().String())
	fmt.Printf("%s: %s; %s\n", name, said, <-saw)
}

// sum counts equal lines.
func sum(lines []string) string {
	for _, line := range lines {
		if line != lines[0] {
			return strings.Join(lines, ", ")
		}
	}
	return fmt.Sprintf("%d x %s", len(lines), lines[0])
}

func golang(qos byte, wait bool) func(string) string {
	return func(url string) string {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("a").SetAutoReconnect(false))
		if t := c.Connect(); t.Wait() && t.Error() != nil {
			panic(t.Error())
		}
		var tokens []mqtt.Token
		for range 3 {
			tokens = append(tokens, c.Publish("topic", qos, false, "x"))
		}
		said := ""
		if wait {
			for _, t := range tokens {
				t.WaitTimeout(5 * time.Second)
			}
		}
		begin := time.Now()
		c.Disconnect(5000)
		if took := time.Since(begin); !wait {
			said = "after " + took.String() + "; "
			if took < 150*time.Millisecond {
				said = "at once; "
			}
		}
		var results []string
		for _, t := range tokens {
			text := "no answer"
			if t.WaitTimeout(2 * time.Second) {
				text = "no error"
				if t.Error() != nil {
					text = t.Error().Error()
				}
			}
			results = append(results, text)
		}
		return said + sum(results)
	}
}

func node(url string) string {
	out, err := exec.Command("node", "end.mjs", url).Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return sum(strings.Split(strings.TrimSpace(string(out)), "\n"))
}

func main() {
	run("Go, Disconnect(5000), QoS 1", golang(1, false))
	run("Go, Disconnect(5000), QoS 2", golang(2, false))
	run("Go, each token waited for, QoS 1", golang(1, true))
	run("Node, end(), QoS 1", node)
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
timeout 60 ./finding | tee seen
diff seen - <<'SEEN'
Go, Disconnect(5000), QoS 1: at once; 3 x connection lost before Publish completed; server: 3 PUBLISH, DISCONNECT before its acknowledgements
Go, Disconnect(5000), QoS 2: at once; 3 x connection lost before Publish completed; server: 3 PUBLISH, DISCONNECT before its acknowledgements
Go, each token waited for, QoS 1: 3 x no error; server: 3 PUBLISH, DISCONNECT after its acknowledgements
Node, end(), QoS 1: 3 x no error; server: 3 PUBLISH, DISCONNECT after its acknowledgements
SEEN
