package lab

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutputOfCommandsCannotDraw(t *testing.T) {
	var out strings.Builder
	_, err := (&labelled{w: &out, label: "faulty: "}).Write([]byte("a\x1b[31mb\x1b]0;t\a\n\u009b2Jc\n"))
	require.NoError(t, err)
	require.Equal(t, "faulty: a\ufffd[31mb\ufffd]0;t\ufffd\nfaulty: \ufffd2Jc\n", out.String())
}
