package socketbuffers

import (
	"context"
	"encoding/binary"
	"net"
	"time"
)

// page is the size of one page of prices in bytes. It begins with the time at which it
// was written.
const page = 16 << 10

// feed writes the prices of the moment, a hundred times a second where the socket takes
// them, until the subscriber leaves. While Write blocks, moments pass unwritten.
func feed(ctx context.Context, conn net.Conn) {
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	prices := make([]byte, page)
	for {
		binary.BigEndian.PutUint64(prices, uint64(time.Now().UnixNano()))
		if _, err := conn.Write(prices); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}
