package worker

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever comes on standard input is an order or an error, and its end is noticed.
func FuzzOrders(f *testing.F) {
	for _, text := range []string{
		"", "\n", "{}\n", `{"Listen":"127.0.0.1:0","Behaviour":{"protocol":"http"}}` + "\n\"stop\"\n",
		`{"Code":"no-timeout","Side":"faulty","Arrivals":[0,1]}` + "\n\"start\"\n\"report\"\n{}\nnull\n", `{"Command":"true","ShowOutput":true}` + "\n\"start\"",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, order := range []any{&ServerOrder{}, &ClientOrder{}, &CommandOrder{}} {
			gone := make(chan struct{})
			o, err := receive(bytes.NewReader(text), order, func() { close(gone) })
			if err != nil {
				require.Nil(t, o)
				continue
			}
			for ended := false; !ended; {
				select {
				case <-o.commands:
				case <-gone:
					ended = true
				}
			}
		}
	})
}
