package httppool

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a program says of its pools, it is read or refused, and written and read again it
// is the same.
func FuzzReadJSON(f *testing.F) {
	f.Add(`{"schema":"` + Schema + `","pools":[{"name":"a","time":"2026-11-28T03:12:01Z","hosts":[{"host":"x","connections":2,"longest_wait_ms":1.5}],` +
		`"connections":[{"host":"x","state":"idle","state_ms":3,"age_ms":1e300}],"requests":[{"method":"GET","state_ms":-1,"read_age_ms":2,"stack":[{"function":"f","file":"a.go","line":7}]}]}]}`)
	f.Add(`{"schema":"other"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ReadJSON(strings.NewReader(text))
		if err != nil {
			require.Nil(t, all)
			return
		}
		var first, second bytes.Buffer
		if WriteJSON(&first, all...) != nil {
			return // a time that JSON cannot have
		}
		again, err := ReadJSON(bytes.NewReader(first.Bytes()))
		require.NoError(t, err)
		require.Len(t, again, len(all))
		require.NoError(t, WriteJSON(&second, again...))
		require.Equal(t, first.String(), second.String())
	})
}
