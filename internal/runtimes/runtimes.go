// Package runtimes says what a process runs and what part it plays: the language or
// the server by its executable, the version and the main module where the executable
// says them, and the role and the protocols by its ports and those of its peers.
//
// Only what /proc or the ports show is claimed; the rest is "". On systems without
// /proc nothing is known.
package runtimes

import (
	"debug/buildinfo"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"socketlab/internal/regular"
	"socketlab/internal/socketstats"
)

// Program is what a process runs. The zero Program is one of which nothing is known.
type Program struct {
	// Runtime is the language, or the name of a server that has a configuration rather
	// than code: "go", "python", "nginx".
	Runtime string
	// Version is that of the runtime, as far as it is known without running it.
	Version string
	// Module is the program itself: of Go the path of the main module, otherwise the
	// script, module, class or archive that the command line names.
	Module string
	// libraries are the known clients of databases and brokers in it.
	libraries []library
	// protocol is what a server speaks by its nature, and proxy says that it may pass
	// requests on.
	protocol string
	proxy    bool
}

// known is what the name of an executable says.
type known struct {
	runtime, protocol string
	proxy             bool
}

// names are the executables that are recognised, without a version at the end.
var names = map[string]known{
	"python": {runtime: "python"}, "pypy": {runtime: "python"}, "node": {runtime: "node"}, "nodejs": {runtime: "node"},
	"bun": {runtime: "bun"}, "deno": {runtime: "deno"}, "java": {runtime: "java"}, "ruby": {runtime: "ruby"},
	"php": {runtime: "php"}, "php-fpm": {runtime: "php"}, "php-cgi": {runtime: "php"}, "perl": {runtime: "perl"},
	"dotnet": {runtime: "dotnet"}, "beam.smp": {runtime: "erlang"},

	"nginx": {"nginx", "http", true}, "openresty": {"nginx", "http", true}, "haproxy": {"haproxy", "http", true},
	"envoy": {"envoy", "http", true}, "apache2": {"apache", "http", true}, "httpd": {"apache", "http", true},
	"caddy": {"caddy", "http", true}, "traefik": {"traefik", "http", true}, "squid": {"squid", "http", true},
	"varnishd": {"varnish", "http", true}, "lighttpd": {"lighttpd", "http", true},
	"pgbouncer": {"pgbouncer", "postgres", true},

	"postgres": {runtime: "postgres", protocol: "postgres"}, "postmaster": {runtime: "postgres", protocol: "postgres"},
	"mysqld": {runtime: "mysql", protocol: "mysql"}, "mariadbd": {runtime: "mysql", protocol: "mysql"},
	"redis-server": {runtime: "redis", protocol: "redis"}, "valkey-server": {runtime: "redis", protocol: "redis"},
	"mongod": {runtime: "mongodb", protocol: "mongodb"}, "memcached": {runtime: "memcached", protocol: "memcached"},
	"mosquitto": {runtime: "mosquitto", protocol: "mqtt"}, "slapd": {runtime: "slapd", protocol: "ldap"},
	"sshd": {runtime: "sshd", protocol: "ssh"}, "sshd-session": {runtime: "sshd", protocol: "ssh"},
	"vsftpd": {runtime: "vsftpd", protocol: "ftp"}, "proftpd": {runtime: "proftpd", protocol: "ftp"},
	"dovecot": {runtime: "dovecot", protocol: "imap"}, "imap-login": {runtime: "dovecot", protocol: "imap"}, "imap": {runtime: "dovecot", protocol: "imap"},
	"exim4": {runtime: "exim", protocol: "smtp"}, "smtpd": {runtime: "postfix", protocol: "smtp"},

	"curl": {runtime: "curl"}, "wget": {runtime: "wget"}, "ssh": {runtime: "ssh"}, "psql": {runtime: "psql"},
	"redis-cli": {runtime: "redis-cli"}, "mysql": {runtime: "mysql-client"}, "mariadb": {runtime: "mysql-client"},
}

// modules are the programs in Go that have a configuration rather than code of the
// user's, by their main module.
var modules = map[string]known{
	"github.com/caddyserver/caddy/v2": names["caddy"], "github.com/traefik/traefik/v3": names["traefik"], "github.com/traefik/traefik/v2": names["traefik"],
}

// mapped are the files in a process's memory that show a runtime in an executable of
// another name, such as uwsgi. The group is the version.
var mapped = []struct {
	runtime string
	file    *regexp.Regexp
}{
	{"java", regexp.MustCompile(`/libjvm\.so$`)},
	{"dotnet", regexp.MustCompile(`/(?:Microsoft\.NETCore\.App/([\d.]+)/)?lib(?:coreclr|System\.Native)\.so$`)},
	{"python", regexp.MustCompile(`/libpython(\d\.\d+)[^/]*$`)},
	{"ruby", regexp.MustCompile(`/libruby[-.\w]*?(\d\.\d+)[^/]*$`)},
	{"php", regexp.MustCompile(`/libphp(\d\.\d+)?[^/]*\.so$`)},
	{"node", regexp.MustCompile(`/libnode\.so`)},
	{"perl", regexp.MustCompile(`/libperl\.so\.(\d\.\d+)`)},
}

// Of reads what a process runs. What this user may not read is not known.
func Of(pid int32) Program { return of(socketstats.ProcDir(pid)) }

// of reads a process's folder of /proc.
func of(proc string) Program {
	exe, _ := os.Readlink(filepath.Join(proc, "exe"))
	exe = strings.TrimSuffix(exe, " (deleted)")
	k, version, named := lookup(path.Base(exe))
	if !named {
		if info, err := readBuildInfo(filepath.Join(proc, "exe")); err == nil {
			return ofGo(info)
		}
		// Of another user, or one executable under several names, as redis-server is a
		// link to redis-check-rdb.
		comm, _ := os.ReadFile(filepath.Join(proc, "comm"))
		k, version, named = lookup(strings.TrimSpace(string(comm)))
	}
	found := named
	_, language := flagsOf[k.runtime]
	var files []string
	if !named || language { // a server's name says all
		files = mappedFiles(proc)
	}
	if !found {
		for _, m := range mapped {
			if v := firstMatch(m.file, files); v != nil {
				k, version, found = known{runtime: m.runtime}, v[len(v)-1], true
				break
			}
		}
	}
	if !found {
		return Program{}
	}
	p := Program{Runtime: k.runtime, Version: version, protocol: k.protocol, proxy: k.proxy}
	if p.Version == "" {
		p.Version = versionOf(p.Runtime, proc, exe, files)
	}
	args := arguments(proc)
	if k.protocol == "" {
		p.libraries = librariesIn(files, args)
		if named {
			p.Module = moduleOf(p.Runtime, args)
		}
	}
	if p.Runtime == "erlang" && slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, "rabbit") }) {
		p.Runtime, p.protocol, p.Module = "rabbitmq", "amqp", ""
	}
	return p
}

// maxExecutable bounds what is searched for build information: an executable with a hole of
// terabytes would be read for hours.
const maxExecutable = 1 << 30

func readBuildInfo(exe string) (*buildinfo.BuildInfo, error) {
	f, err := regular.Open(exe, maxExecutable)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return buildinfo.Read(f)
}

// lookup finds the name of an executable, with or without a version at its end.
func lookup(name string) (k known, version string, found bool) {
	if k, found = names[name]; found {
		return k, "", true
	}
	base := strings.TrimRight(name, "0123456789.")
	k, found = names[strings.TrimRight(base, "-")]
	return k, strings.Trim(name[len(base):], "."), found
}

// ofGo is a program in Go. Its build information is in the executable unless it was
// removed.
func ofGo(info *buildinfo.BuildInfo) Program {
	p := Program{Runtime: "go", Version: strings.TrimPrefix(info.GoVersion, "go"), Module: info.Main.Path}
	if p.Module == "" {
		p.Module = info.Path
	}
	if k, ok := modules[info.Main.Path]; ok {
		p.Runtime, p.Version, p.protocol, p.proxy = k.runtime, info.Main.Version, k.protocol, k.proxy
	}
	for _, dep := range info.Deps {
		for _, l := range libraries {
			if l.module != "" && strings.HasPrefix(dep.Path, l.module) {
				p.libraries = append(p.libraries, l)
			}
		}
	}
	return p
}

// arguments are those of the command line, the program's name first.
func arguments(proc string) []string {
	line, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
	return strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
}

// mappedFiles are the files in a process's memory, each once.
func mappedFiles(proc string) []string {
	f, err := os.Open(filepath.Join(proc, "maps"))
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, mostMaps))
	var files []string
	for line := range strings.Lines(string(data)) {
		if i := strings.IndexByte(line, '/'); i >= 0 {
			files = append(files, strings.TrimSuffix(strings.TrimSpace(line[i:]), " (deleted)"))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// mostMaps is beyond what programs have: 65,530 files of long names in a process's memory are
// 270 MB of text.
const mostMaps = 32 << 20

func firstMatch(pattern *regexp.Regexp, texts []string) []string {
	for _, text := range texts {
		if m := pattern.FindStringSubmatch(text); m != nil {
			return m
		}
	}
	return nil
}

var (
	// inPath is the version in the path of what was installed beside others:
	// ~/.nvm/versions/node/v20.20.2/bin/node, /usr/lib/erlang/erts-13.1.5/bin/beam.smp.
	inPath      = regexp.MustCompile(`/(?:v|erts-|node-v)(\d+(?:\.\d+)+)`)
	javaRelease = regexp.MustCompile(`JAVA_VERSION="([^"]+)"`)
)

// maxRelease bounds the file release of a JDK, which is the process's owner's to write. It
// has about 1 KiB.
const maxRelease = 64 << 10

// versionOf is the version of a runtime whose executable's name does not have it.
func versionOf(runtime, proc, exe string, files []string) string {
	if runtime == "java" { // the file release of a JDK is in the folder above bin
		data, _ := regular.Read(filepath.Join(proc, "root", path.Dir(path.Dir(exe)), "release"), maxRelease)
		if m := javaRelease.FindSubmatch(data); m != nil {
			return string(m[1])
		}
		return ""
	}
	for _, m := range mapped {
		if m.runtime != runtime {
			continue
		}
		if v := firstMatch(m.file, files); len(v) > 1 {
			return v[1]
		}
	}
	if m := inPath.FindStringSubmatch(exe); m != nil {
		return m[1]
	}
	return ""
}

// flags are those of an interpreter that say what it runs: takes are followed by a
// value, inline by a program, and names by the module or archive to run.
type flags struct{ takes, inline, names []string }

var flagsOf = map[string]flags{
	"java":   {takes: []string{"-cp", "-classpath", "--class-path", "-p", "--module-path"}, names: []string{"-jar", "-m", "--module"}},
	"python": {takes: []string{"-W", "-X"}, inline: []string{"-c", "-"}, names: []string{"-m"}},
	"node":   {takes: []string{"-r", "--require", "--import", "--loader"}, inline: []string{"-e", "--eval", "-p", "-"}},
	"ruby":   {takes: []string{"-I", "-r", "-C"}, inline: []string{"-e", "-"}},
	"perl":   {takes: []string{"-I"}, inline: []string{"-e", "-E", "-"}},
	"php":    {takes: []string{"-c", "-d", "-t", "-S"}, inline: []string{"-r"}},
	"dotnet": {names: []string{"exec"}},
}

// moduleOf is the script, module, class or archive that an interpreter runs.
func moduleOf(runtime string, args []string) string {
	f, known := flagsOf[runtime]
	if !known || strings.Contains(args[0], ": ") { // a process's title: "php-fpm: pool www"
		return ""
	}
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case slices.Contains(f.inline, arg):
			return ""
		case slices.Contains(f.takes, arg):
			i++
		case slices.Contains(f.names, arg) && i+1 < len(args):
			return base(args[i+1])
		case !strings.HasPrefix(arg, "-"):
			return base(arg)
		}
	}
	return ""
}

// base is the last part of a path; "" of none.
func base(name string) string {
	if name == "" {
		return ""
	}
	return path.Base(name)
}
