package runtimes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// process is a folder such as /proc has for a process. In cmdline a space ends an
// argument, and "_" is a space in one.
func process(t *testing.T, exe, comm, cmdline, maps string) string {
	t.Helper()
	dir := t.TempDir()
	if exe != "" {
		require.NoError(t, os.Symlink(exe, filepath.Join(dir, "exe")))
	}
	for name, text := range map[string]string{"comm": comm + "\n", "cmdline": strings.NewReplacer(" ", "\x00", "_", " ").Replace(cmdline) + "\x00", "maps": maps} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestWhatAProcessRuns(t *testing.T) {
	t.Parallel()
	const at = "7f1c2a000000-7f1c2a200000 r-xp 00000000 08:01 1234   "
	for _, of := range []struct {
		name, exe, comm, cmdline, maps string
		want                           Program
	}{
		{name: "python, by its name", exe: "/usr/bin/python3.11", cmdline: "python3 -X dev /srv/app.py --port 80", want: Program{Runtime: "python", Version: "3.11", Module: "app.py"}},
		{name: "a python module", exe: "/usr/bin/python3.11", cmdline: "python3 -m gunicorn app:app", want: Program{Runtime: "python", Version: "3.11", Module: "gunicorn"}},
		{name: "a python program in the command line", exe: "/usr/bin/python3.11", cmdline: "python3 -c print(1)", want: Program{Runtime: "python", Version: "3.11"}},
		{name: "uwsgi, which has python in it", exe: "/usr/bin/uwsgi-core", cmdline: "uwsgi --http :80", maps: at + "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", want: Program{Runtime: "python", Version: "3.11"}},
		{name: "node of nvm", exe: "/root/.nvm/versions/node/v20.20.2/bin/node", cmdline: "node -r ./trace server.js", want: Program{Runtime: "node", Version: "20.20.2", Module: "server.js"}},
		{name: "java", exe: "/usr/lib/jvm/java-17/bin/java", cmdline: "java -Xmx1g -cp a.jar:b.jar com.example.Main", want: Program{Runtime: "java", Module: "com.example.Main"}},
		{name: "a java archive", exe: "/usr/lib/jvm/java-17/bin/java", cmdline: "java -jar /app/service.jar", want: Program{Runtime: "java", Module: "service.jar"}},
		{name: "php-fpm", exe: "/usr/sbin/php-fpm8.2", cmdline: "php-fpm:_pool www", want: Program{Runtime: "php", Version: "8.2"}},
		{name: "ruby", exe: "/usr/bin/ruby3.1", cmdline: "ruby -I lib worker.rb", want: Program{Runtime: "ruby", Version: "3.1", Module: "worker.rb"}},
		{name: "perl, whose version its library has", exe: "/usr/bin/perl", cmdline: "perl app.pl", maps: at + "/usr/lib/x86_64-linux-gnu/libperl.so.5.36.0", want: Program{Runtime: "perl", Version: "5.36", Module: "app.pl"}},
		{name: ".NET in an executable of its own", exe: "/app/service", cmdline: "/app/service", maps: at + "/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/libcoreclr.so", want: Program{Runtime: "dotnet", Version: "8.0.1"}},
		{name: "erlang", exe: "/usr/lib/erlang/erts-13.1.5/bin/beam.smp", cmdline: "beam.smp -- -root /usr/lib/erlang", want: Program{Runtime: "erlang", Version: "13.1.5"}},
		{name: "rabbitmq", exe: "/usr/lib/erlang/erts-13.1.5/bin/beam.smp", cmdline: "beam.smp -pa /usr/lib/rabbitmq/lib", want: Program{Runtime: "rabbitmq", Version: "13.1.5", protocol: "amqp"}},
		{name: "nginx that was replaced", exe: "/usr/sbin/nginx (deleted)", cmdline: "nginx:_worker process", want: Program{Runtime: "nginx", protocol: "http", proxy: true}},
		{name: "postgres", exe: "/usr/lib/postgresql/15/bin/postgres", cmdline: "postgres: main", want: Program{Runtime: "postgres", protocol: "postgres"}},
		{name: "a link to an executable of another name", exe: "/usr/bin/redis-check-rdb", comm: "redis-server", cmdline: "redis-server_*:6379", want: Program{Runtime: "redis", protocol: "redis"}},
		{name: "another user's process, by its name alone", comm: "redis-server", want: Program{Runtime: "redis", protocol: "redis"}},
		{name: "unknown", exe: "/usr/bin/socat", cmdline: "socat - TCP:127.0.0.1:80"},
		{name: "a kernel thread", comm: "kworker/0:1", cmdline: ""},
	} {
		t.Run(of.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, of.want, withoutLibraries(read(t, of.exe, of.comm, of.cmdline, of.maps)))
		})
	}
}

func read(t *testing.T, exe, comm, cmdline, maps string) Program {
	t.Helper()
	return of(process(t, exe, comm, cmdline, maps))
}

func withoutLibraries(p Program) Program {
	p.libraries = nil
	return p
}

func TestThisProgramIsInGo(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("no /proc here")
	}
	p := Of(int32(os.Getpid()))
	require.Equal(t, "go", p.Runtime)
	require.Equal(t, "socketlab", p.Module)
	require.Regexp(t, `^1\.\d+`, p.Version)
}

func TestARealInterpreterIsRecognised(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("no /proc here")
	}
	for _, of := range []struct{ runtime, command, program string }{
		{"python", "python3", "print(flush=True)\nimport sys; sys.stdin.read()"},
		{"node", "node", "console.log(); process.stdin.resume()"},
		{"perl", "perl", "$|=1; print qq(\\n); <STDIN>"},
	} {
		t.Run(of.runtime, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(of.command)
			if err != nil {
				t.Skip(err)
			}
			script := filepath.Join(t.TempDir(), "script")
			require.NoError(t, os.WriteFile(script, []byte(of.program), 0o600))
			c := exec.Command(path, script)
			in, err := c.StdinPipe()
			require.NoError(t, err)
			out, err := c.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, c.Start())
			_, err = out.Read(make([]byte, 1)) // it runs its program
			require.NoError(t, err)
			p := Of(int32(c.Process.Pid))
			require.NoError(t, in.Close())
			require.NoError(t, c.Wait())
			require.Equal(t, of.runtime, p.Runtime)
			require.Equal(t, "script", p.Module)
		})
	}
}

func TestLibraries(t *testing.T) {
	t.Parallel()
	const at = "7f1c2a000000-7f1c2a200000 r-xp 00000000 08:01 1234   "
	p := read(t, "/usr/bin/python3.11", "", "python3 app.py", at+"/venv/lib/psycopg2/_psycopg.cpython-311.so\n"+at+"/venv/lib/pymongo/_cmessage.so")
	require.Equal(t, "psycopg2", p.Library("postgres"))
	require.Equal(t, "pymongo", p.Library("mongodb"))
	require.Empty(t, p.Library("redis"))
	p = read(t, "/usr/bin/java", "", "java -cp /app/jedis-4.4.jar:/app/lettuce-core-6.jar Main", "")
	require.Empty(t, p.Library("redis"), "of two it is not known which has the connections")
}

func TestRoles(t *testing.T) {
	t.Parallel()
	plain, nginx := Program{}, Program{proxy: true}
	for _, of := range []struct {
		program           Program
		listens, connects bool
		peers             []string
		want              string
	}{
		{plain, false, false, nil, ""},
		{plain, true, false, nil, Server},
		{plain, true, true, []string{"postgres"}, Service},
		{nginx, true, true, nil, Proxy},
		{nginx, true, false, nil, Server},
		{plain, false, true, nil, Client},
		{plain, false, true, []string{"http", "postgres"}, Client},
		{plain, false, true, []string{"redis", "postgres"}, DatabaseClient},
		{plain, false, true, []string{"amqp"}, BrokerClient},
	} {
		require.Equal(t, of.want, of.program.Role(of.listens, of.connects, of.peers), "%+v", of)
	}
}
