package slowserver_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli/program"
	"socketlab/internal/cli/slowserver"
	"socketlab/internal/scenario"
)

func run(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = program.Run(slowserver.Command, args, program.Streams{Out: &out, Err: &err})
	return code, out.String(), err.String()
}

func TestEveryKeyIsAFlagWithItsTextInTheHelp(t *testing.T) {
	code, help, _ := run("--help")
	require.Equal(t, program.ExitOK, code)
	help = strings.Join(strings.Fields(help), " ") // long texts go on in a line of their own
	for _, k := range scenario.Keys() {
		if k.IsFlag() {
			require.Regexp(t, `--`+k.FlagName()+`[ [].*`+regexp.QuoteMeta(k.Usage()), help)
		} else {
			require.NotContains(t, help, "--"+k.FlagName())
		}
	}
	require.Regexp(t, `--delay duration +wait this long before each response \(default 20s\)`, help)
	require.Regexp(t, `--handshake-delay duration .* \(toydb\)`, help)
	require.Contains(t, help, "for the time of --pause-for")
}

func TestOfTwoFlagsThatMakeNoSenseTheSameIsAlwaysNamed(t *testing.T) {
	for range 20 { // the order of a map would differ between runs
		code, _, stderr := run("--delay", "-1s", "--grace", "-1s", "--idle-timeout", "-1s", "--workers", "-1")
		require.Equal(t, program.ExitUsage, code)
		require.Contains(t, stderr, "slowserver: --delay -1s is negative\n")
	}
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--protocol", "toydb", "--status", "503"}, "--status is for --protocol http, h2c, https"},
		{[]string{"--handshake-delay", "1s"}, "--handshake-delay is for --protocol toydb"},
		{[]string{"--over-limit", "close"}, "--over-limit needs --max-conns"},
		{[]string{"--max-conns", "1", "--over-limit", "laugh"}, `--over-limit is "laugh": use one of wait, refuse, close`},
		{[]string{"--status", "600"}, "--status 600 is not between 200 and 599"},
		{[]string{"--down-for", "1s"}, "--down-for needs --down-after"},
	} {
		code, _, stderr := run(test.args...)
		require.Equal(t, program.ExitUsage, code, "%v", test.args)
		require.Contains(t, stderr, test.want)
	}
}
