//go:build linux

// Package goform is what the forms in Go share: roles are processes of their own, and
// end with the form.
package goform

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Leaking is whether the form is played leaking.
func Leaking() bool { return len(os.Args) < 2 || os.Args[1] != "healthy" }

var children []*exec.Cmd

// Role starts work in a process of its own, with the ports that it is given. Work
// says its own port, or 0. Role returns that port.
func Role(name string, work func(say func(port int), ports []int), ports ...int) int {
	if mine := os.Getenv("FORM_ROLE"); mine != "" {
		if mine != name {
			return 0
		}
		ports = nil // the parent knows them
		for _, s := range os.Args[3:] {
			port, _ := strconv.Atoi(s)
			ports = append(ports, port)
		}
		work(func(port int) {
			fmt.Println(port)
			_ = os.Stdout.Close()
		}, ports)
		select {}
	}
	runtime.LockOSThread() // a child ends with the thread that started it
	comm := fmt.Sprintf("%.8s-%06x", name, rand.IntN(1<<24))
	args := append([]string{comm}, os.Args[1:3]...)
	for _, p := range ports {
		args = append(args, strconv.Itoa(p))
	}
	// A link gives the program a name of its own, so that it can be found by name.
	self, err := os.Executable()
	must(err)
	dir, err := os.MkdirTemp("", "form")
	must(err)
	must(os.Chmod(dir, 0o755))
	must(os.Symlink(self, dir+"/"+comm))
	cmd := &exec.Cmd{
		Path: dir + "/" + comm, Args: args, Stderr: os.Stderr, Env: append(os.Environ(), "FORM_ROLE="+name),
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	children = append(children, cmd)
	fmt.Println("PID", name, cmd.Process.Pid)
	line, err := bufio.NewReader(out).ReadString('\n')
	must(err)
	_ = os.RemoveAll(dir)
	port, err := strconv.Atoi(line[:len(line)-1])
	must(err)
	if port > 0 {
		fmt.Println("PORT", name, port)
	}
	return port
}

// Ready says READY and waits for the end.
func Ready() {
	fmt.Println("READY")
	seconds, err := strconv.Atoi(os.Args[2])
	must(err)
	end := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(end)
	}()
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM, os.Interrupt)
	select {
	case <-end:
	case <-stopped:
	case <-time.After(time.Duration(seconds) * time.Second):
	}
	for _, c := range children {
		_ = c.Process.Kill()
	}
}

// Listen listens on a free port of loopback, and says the port.
func Listen(say func(int)) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	say(l.Addr().(*net.TCPAddr).Port)
	return l
}

// Every calls f with 0, 1, 2 … at steady moments.
func Every(d time.Duration, f func(i int)) {
	tick := time.NewTicker(d)
	for i := 0; ; i++ {
		f(i)
		<-tick.C
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
