package worker

import (
	"bytes"
	"io"
	"strings"
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

// Whatever a program of the user's says of its requests, each ends once: with what is said of
// it, or with the end of the program.
func FuzzAnswers(f *testing.F) {
	f.Add("ready\n1 ok\n2 ECONNRESET\n3 ok\n")
	f.Add("ok\nready\nok\n3 ok\n3 ok\n1\n-1 x\n99999999999999999999 x")
	f.Add("2 \r\n\x1b[31m\n\n" + strings.Repeat("x", 5000))
	f.Fuzz(func(t *testing.T, said string) {
		l := &lines{in: nopCloser{io.Discard}, waiting: map[int]chan string{}, ready: make(chan struct{})}
		var answers []<-chan string
		for range 3 {
			answer, err := l.ask()
			require.NoError(t, err)
			answers = append(answers, answer)
		}
		l.read(io.NopCloser(strings.NewReader(said)))
		for _, answer := range answers {
			if text, ok := <-answer; ok {
				require.Contains(t, said, text)
			}
		}
		require.LessOrEqual(t, len(l.texts), len(answers))
		_, err := l.ask()
		require.ErrorIs(t, err, errProgramEnded)
	})
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
