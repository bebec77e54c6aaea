package cli_test

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// mountNamespace are the arguments of unshare for a mount namespace of its own.
func mountNamespace(t *testing.T) []string {
	t.Helper()
	args := []string{"-m", "--propagation", "private"}
	if os.Geteuid() != 0 {
		args = append(args, "-r")
	}
	if out, err := exec.Command("unshare", append(args, "true")...).CombinedOutput(); err != nil {
		t.Skipf("no mount namespace: %v: %s (unshare is in the package util-linux)", err, out)
	}
	return args
}

func TestWithoutProcNothingIsTakenForSeen(t *testing.T) {
	t.Parallel()
	for command, says := range map[string]string{
		"watch --pid 1 --for 1s":                              "own network namespace cannot be seen: .*is /proc mounted",
		"diagnose --port 80 --for 1s":                         "own network namespace cannot be seen: .*is /proc mounted",
		"record --name x --for 1s -o " + t.TempDir() + "/out": "own network namespace cannot be seen: .*is /proc mounted",
		"exporter --listen 127.0.0.1:0":                       "own network namespace cannot be seen: .*is /proc mounted",
		"run body-not-closed -q":                              "cannot find this program's own file",
		"life":                                                "cannot find this program's own file",
	} {
		cmd := exec.Command("unshare", append(mountNamespace(t), "sh", "-c", `mount -t tmpfs none /proc || exit 99; sockwatch `+command)...)
		said, err := cmd.CombinedOutput()
		require.Error(t, err, "%s", said)
		require.Equal(t, 1, cmd.ProcessState.ExitCode(), "%s: %s", command, said)
		require.Regexp(t, says, string(said))
	}
}

// onFullDisk runs a script in a folder of a disk of 64 MB, on which so many bytes are free,
// in a mount namespace of its own. It returns all
// that it wrote.
func onFullDisk(t *testing.T, free int, script string) string {
	t.Helper()
	args := mountNamespace(t)
	const size = 64 << 20
	begin := `set -e
mount -t tmpfs -o size=64m none "$1"
cd "$1"
sockwatch record --pid $$ --interval 20ms --for 100ms -o "$2/before.jsonl" 2>/dev/null
fallocate -l "$3" filler
set +e
`
	cmd := exec.Command("unshare", append(args, "sh", "-c", begin+script, "sh", t.TempDir(), t.TempDir(), strconv.Itoa(size-free))...)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return string(said)
}

// What cannot be written to its end is an error that says how much is lost, and leaves
// nothing that looks whole.
func TestAFullDiskIsAnErrorOfEachCommandThatWrites(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("fallocate")
	if err != nil {
		t.Skip("fallocate is not here: it is in the package util-linux")
	}
	const space = "no space left on device"
	for name, c := range map[string]struct {
		free   int
		script string
		says   string // a regular expression
	}{
		"record": {12 << 10, `sockwatch record --pid $$ --interval 20ms -o out.jsonl`, `record in out\.jsonl: write out\.jsonl: ` + space + ` \(\d+ lines? written, \d+ lost\)\n.*exit 1\n`},
		"a cut recording": {8 << 10, `until [ -n "$(tail -c 1 out.jsonl 2>/dev/null)" ]; do rm -f out.jsonl; sockwatch record --pid $$ --interval 20ms -o out.jsonl 2>/dev/null; done # not cut at the end of a line
sockwatch replay -q out.jsonl`, `the recording is cut off in the middle of a line.*\n.*exit 1\n`},
		"record, from the first line": {0, `sockwatch record --pid $$ --interval 20ms -o out.jsonl`, space + ` \(0 lines written, \d+ lost\)\n.*exit 1\nfiller\n$`},
		"watch":                       {4 << 10, `sockwatch watch --pid $$ --interval 20ms -o json >out`, space + ` \(\d+ bytes did not arrive\)\n.*exit 1\n`},
		"list":                        {4 << 10, `sockwatch list >out`, space + ` \(\d+ bytes did not arrive\)\n.*exit 1\n`},
		"report":                      {4 << 10, `sockwatch report "$2/before.jsonl" --to out.html`, `write out\.html: ` + space + `: nothing of it is kept\n.*exit 1\nfiller\n`},
		"a picture":                   {0, `sockwatch report "$2/before.jsonl" --svg out.svg`, `write out\.svg: ` + space + `: nothing of it is kept\n.*exit 1\nfiller\n`},
		"a bundle":                    {0, `sockwatch report "$2/before.jsonl" --bundle out.tar.gz`, `write out\.tar\.gz: ` + space + `: nothing of it is kept\n.*exit 1\nfiller\n`},
		"junit":                       {0, `sockwatch check --pid $$ --no-fault --interval 20ms --for 200ms --junit out.xml`, `no fault(.*\n)+.*write out\.xml: ` + space + `: nothing of it is kept\n.*exit 1\nfiller\n`},
		"manual pages":                {0, `sockwatch man --dir pages; code=$?; rmdir pages; (exit $code)`, `write pages/sockwatch\.1: ` + space + `: nothing of it is kept\n.*exit 1\nfiller\n`},
		"some manual pages":           {64 << 10, `sockwatch man --dir pages; code=$?; rmdir pages; (exit $code)`, `write pages/sockwatch-\S+: ` + space + `: nothing of it is kept\n.*exit 1\nfiller\n`},
		"an exercise":                 {4 << 10, `sockwatch exercise start health-check-runs-dry mine`, space + `\n.*exit 1\nfiller\n`},
		"an exercise, here":           {4 << 10, `mkdir mine; cd mine; sockwatch exercise start health-check-runs-dry .; code=$?; ls -A; cd ..; rmdir mine; (exit $code)`, space + `\n.*exit 1\nfiller\n`},
		"a check":                     {64 << 10, `sockwatch exercise start one-of-three-leaks mine >/dev/null; cd mine; sed -i 's/^process:.*/process: orders/; s/^kind:.*/kind: churn/' answer.yaml; dd if=/dev/zero of=../rest bs=4k 2>/dev/null; sockwatch exercise check`, `(?s)your answer.*this check is not entered in \.: write \.exercise\.json\.new: ` + space + `\n.*exit 1\n`},
		"a run":                       {32 << 10, `sockwatch run body-not-closed --speed 20 -q --record out.jsonl --report out.html >/dev/null`, `record in out\.jsonl: write out\.jsonl: ` + space + ` \(\d+ lines? written, \d+ lost\)\n(.*\n)*.*exit 1\n(filler\n)?out\.jsonl\n`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := onFullDisk(t, c.free, c.script+"\necho exit $?\nls -A")
			require.Regexp(t, c.says, said)
		})
	}
}
