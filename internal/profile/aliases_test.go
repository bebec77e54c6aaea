package profile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
)

func TestAliasesOfAliasesAreRefusedSoon(t *testing.T) {
	var text strings.Builder
	text.WriteString("schema: socketlab/profile/1\nkind: client\nname: x\nvalues:\n  opened_sequential: [&a0 [x, x, x, x, x, x, x, x, x, x]")
	for i := range 8 {
		fmt.Fprintf(&text, ", &a%d [%s]", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	text.WriteString("]\n")
	begin := time.Now()
	_, err := profile.Parse("x.yaml", []byte(text.String()))
	require.ErrorContains(t, err, "several values")
	require.Less(t, time.Since(begin), time.Minute)
	for _, value := range []string{"{a: *b}", "{a: b}", "[]", "{}"} {
		_, err := profile.Parse("x.yaml", []byte("schema: socketlab/profile/1\nkind: client\nname: x\nvalues: {opened_sequential: "+value+"}\n"))
		require.Error(t, err, value)
	}
}
