package runtimes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a process calls itself and has in its memory, what is said of it is known, or
// stands in its own texts.
func FuzzProgram(f *testing.F) {
	const at = "7f1c2a000000-7f1c2a200000 r-xp 00000000 08:01 1234   "
	f.Add("python3.11", "python3", "python3\x00-m\x00gunicorn\x00app:app\x00", at+"/venv/lib/psycopg2/_psycopg.so", "")
	f.Add("java", "java", "java\x00-cp\x00a/../jedis-4.4.jar\x00Main\x00", "", "JAVA_VERSION=\"17.0.9\"\nOS_NAME=\"Linux\"\n")
	f.Add("redis-check-rdb", "redis-server\n", "redis-server *:6379", at+"/usr/lib/libjvm.so (deleted)\n", "")
	f.Add("beam.smp", "", "\x00\x00rabbit\x00", at+"/usr/lib/libruby-3.1.so.3.1.2\n"+at+"[heap]\n/", "")
	f.Add("uwsgi", "uwsgi", "", at+"/x/libpython3.11.so.1.0\x1b[31m", "")
	proc := f.TempDir()
	exe := filepath.Join(proc, "exe")
	require.NoError(f, os.MkdirAll(filepath.Join(proc, "root", "of-a-test"), 0o700))
	written := map[string]string{} // to write the same again would take most of the time
	f.Fuzz(func(t *testing.T, name, comm, cmdline, maps, release string) {
		if name = filepath.Base(name); written[exe] != name {
			_ = os.Remove(exe)
			delete(written, exe)
			if os.Symlink("/of-a-test/bin/"+name, exe) != nil {
				t.Skip("no file has this name")
			}
			written[exe] = name
		}
		for file, text := range map[string]string{"comm": comm, "cmdline": cmdline, "maps": maps, "root/of-a-test/release": release} {
			if old, is := written[file]; is && old == text {
				continue
			}
			require.NoError(t, os.WriteFile(filepath.Join(proc, file), []byte(text), 0o600))
			written[file] = text
		}
		p := of(proc)
		if p.Runtime == "" {
			require.Equal(t, Program{}, p)
			return
		}
		require.Contains(t, cmdline, strings.TrimPrefix(p.Module, "/"))
		require.Contains(t, name+comm+maps+release, p.Version)
		for _, l := range p.libraries {
			require.Contains(t, []string{l.name, ""}, p.Library(l.protocol), "one of two is not named")
		}
		require.NotEmpty(t, p.Role(true, true, nil))
	})
}

// Whatever processes have as their title, a transaction is of an address that stands in it.
func FuzzTitle(f *testing.F) {
	f.Add("postgres: postgres postgres 127.0.0.1(45850) idle in transaction\x00\x00\x00")
	f.Add("postgres: main: app shop ::1(45862) idle in transaction (aborted)")
	f.Add("postgres: a fe80::1%eth0(70000) idle in transaction")
	proc := f.TempDir()
	require.NoError(f, os.MkdirAll(filepath.Join(proc, "1"), 0o700))
	f.Fuzz(func(t *testing.T, title string) {
		require.NoError(t, os.WriteFile(filepath.Join(proc, "1", "cmdline"), []byte(title), 0o600))
		b := Backends{proc: proc}
		idle := b.IdleInTransaction()
		require.LessOrEqual(t, len(idle), 1)
		for at := range idle {
			require.True(t, at.IsValid())
			require.True(t, strings.HasPrefix(title, "postgres: "))
			require.Contains(t, title, ") idle in transaction")
		}
	})
}
