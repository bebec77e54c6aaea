package uprobe

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"socketlab/internal/bpf"
	"socketlab/internal/callsite"
	"socketlab/internal/socketstats"
	"socketlab/internal/where"
)

// Prober looks at one process from Open to Close. It is for one goroutine.
type Prober struct {
	pid     int32
	options Options
	binary  *callsite.Binary
	// bias is by how much the process's addresses are above those of the file.
	bias   uint64
	layout layout
	points []point
	memory addressSpace
	source socketstats.Source

	uses, lost bpf.Object
	began      time.Time
	// attaching is how long it took until all probes were in place.
	attaching time.Duration
	objects   map[uint64]*holding
	dials     map[uint64][]uint64 // the dialling objects of each goroutine
	// readLoop, peek and selects are where (*persistConn).readLoop, (*bufio.Reader).Peek and
	// runtime.selectgo begin, as the file has it, and allgs where the list of goroutines
	// is; 0 of what is not found.
	readLoop, peek, selects, allgs uint64
	// searches is how often so many connections, unresolved, were searched for.
	searches, unresolved int

	open []io.Closer // what Close closes
}

// Allowed reports whether Open may succeed: as root, on a kernel with uprobes.
func Allowed() bool {
	_, err := uprobeType()
	return err == nil && os.Geteuid() == 0
}

// Open begins to look at a process. The caller closes the Prober; if it does not, the
// kernel ends the probes when this process ends. The error Is [ErrNotAllowed] if a
// privilege is missing, and [errors.ErrUnsupported] if the kernel lacks a feature or
// the program is none that can be looked into.
func Open(pid int32, o Options) (*Prober, error) {
	p := &Prober{pid: pid, options: o, objects: map[uint64]*holding{}}
	if err := p.start(); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("%w (%w)", ErrNotAllowed, err)
		}
		return nil, errors.Join(fmt.Errorf("process %d: %w", pid, err), p.Close())
	}
	return p, nil
}

func (p *Prober) start() error {
	path := socketstats.ProcDir(p.pid) + "/exe"
	var err error
	if p.binary, err = callsite.Open(path); err != nil {
		return err
	}
	p.open = append(p.open, p.binary)
	switch {
	case p.binary.Machine() != elf.EM_X86_64 && p.binary.Machine() != elf.EM_AARCH64:
		return fmt.Errorf("a program for %v: %w", p.binary.Machine(), errors.ErrUnsupported)
	case p.isGo() && !callsite.AtLeast(p.binary.Go, 21):
		return fmt.Errorf("it was built by %s, and go1.21 is the oldest that is known: %w", p.binary.Go, errors.ErrUnsupported)
	}
	if p.memory, err = openMemory(p.pid); err != nil {
		return err
	}
	p.open = append(p.open, p.memory.file)
	if p.bias, err = p.findBias(); err != nil {
		return err
	}
	p.memory.image, p.memory.end = p.binary.Image()
	p.memory.image, p.memory.end = p.memory.image+p.bias, p.memory.end+p.bias
	if err := p.openSource(); err != nil {
		return err
	}
	if !p.isGo() {
		p.began = time.Now()
		return p.listenForConnects()
	}
	p.layout = layoutOf(p.binary.Go)
	p.points = p.layout.points()
	err = p.attach(path)
	p.attaching = time.Since(p.began)
	return err
}

// isGo reports whether the program is Go's.
func (p *Prober) isGo() bool { return p.binary.Go != "" }

// openSource opens what lists the sockets of the process's network namespace.
func (p *Prober) openSource() error {
	source, err := socketstats.OpenSource(socketstats.Auto)
	if err != nil {
		return err
	}
	p.open = append(p.open, source)
	own, err := socketstats.NamespaceOf(0)
	if err != nil {
		return err
	}
	of, err := socketstats.NamespaceOf(p.pid)
	if err != nil {
		return err
	}
	if p.source = source; of != own {
		n, err := socketstats.OpenNamespace(source, p.pid)
		if err != nil {
			return err
		}
		p.source = n.Source
		p.open = append(p.open, n.Source)
	}
	return nil
}

// held are the states of sockets that a program may have a descriptor of.
var held = []socketstats.State{
	socketstats.Listen, socketstats.SynSent, socketstats.Established, socketstats.CloseWait, socketstats.FinWait1, socketstats.FinWait2,
	socketstats.Closing, socketstats.LastAck,
}

// keep leaves what was made for Close.
func (p *Prober) keep(o bpf.Object, err error) (bpf.Object, error) {
	if err == nil {
		p.open = append(p.open, o)
	}
	return o, err
}

// attach puts the probes that the program has functions for.
func (p *Prober) attach(path string) error {
	attach := attachAll
	if p.options.oneByOne || !bpf.ManyProbes() {
		attach = attachEach
	}
	var err error
	if p.uses, err = p.keep(newUses()); err != nil {
		return err
	}
	empty, err := newEmpty()
	if err != nil {
		return err
	}
	defer empty.Close() // the programs keep it
	if p.lost, err = p.keep(newLost()); err != nil {
		return err
	}
	var names []string
	for _, at := range p.points {
		names = append(names, at.function, at.older)
	}
	waits := map[string]*uint64{"net/http.(*persistConn).readLoop": &p.readLoop, "bufio.(*Reader).Peek": &p.peek, "runtime.selectgo": &p.selects}
	names = slices.AppendSeq(names, maps.Keys(waits))
	found := p.binary.Functions(names...)
	for name, entry := range waits {
		*entry = p.binary.Entry(found[name].Entry)
	}
	p.began = time.Now()
	for i := range p.points {
		function, ok := found[p.points[i].function]
		if !ok {
			function, ok = found[p.points[i].older]
		}
		if !ok {
			continue
		}
		var offsets []uint64
		for _, at := range p.points[i].places(function) {
			offset, ok := p.binary.FileOffset(at)
			if !ok {
				return fmt.Errorf("the function at %#x is in no part of the file", at)
			}
			offsets = append(offsets, offset)
		}
		probes, err := attach(program(&p.points[i], int32(i), p.uses, empty, p.lost), path, offsets, p.pid)
		for _, o := range probes {
			p.open = append(p.open, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends the probes. It may be called again.
func (p *Prober) Close() error {
	// At once, as the kernel waits for a while before it ends the probes of a point.
	errs := make([]error, len(p.open))
	var all sync.WaitGroup
	for i, o := range p.open {
		all.Go(func() { errs[i] = o.Close() })
	}
	all.Wait()
	p.open = nil
	return errors.Join(errs...)
}

// findBias finds out at which address the process has the executable's code.
func (p *Prober) findBias() (uint64, error) {
	maps, err := os.ReadFile(socketstats.ProcDir(p.pid) + "/maps")
	if err != nil {
		return 0, err
	}
	exe, err := os.Readlink(socketstats.ProcDir(p.pid) + "/exe")
	if err != nil {
		return 0, err
	}
	return p.binary.Bias(string(maps), exe)
}

// descriptors are the inodes of the sockets that the process has open, by descriptor.
func (p *Prober) descriptors() (map[int]uint32, error) {
	dir := p.descriptorsFolder()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	inodes := make(map[int]uint32, len(entries))
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if inode := socketInode(dir + e.Name()); err == nil && inode != 0 {
			inodes[fd] = inode
		}
	}
	return inodes, nil
}

func (p *Prober) descriptorsFolder() string { return socketstats.ProcDir(p.pid) + "/fd/" }

// socketInode is the inode of the socket to which a descriptor's link leads; 0 where it leads
// to something else, or was closed.
func socketInode(link string) (inode uint32) {
	target, err := os.Readlink(link)
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscanf(target, "socket:[%d]", &inode); err != nil {
		return 0
	}
	return inode
}

// sweep reads what the probes have seen, with the descriptors as they are now.
func (p *Prober) sweep(inodes map[int]uint32) error {
	keys, err := p.uses.Keys()
	if err != nil {
		return fmt.Errorf("uses: %w", err)
	}
	buffer, decodeUse := make([]byte, useSize), decode
	if !p.isGo() {
		buffer, decodeUse = make([]byte, nativeSize), p.decodeConnect
	}
	for _, key := range keys {
		var u use
		complete := false
		for range 3 {
			if err := p.uses.Lookup(key, buffer); err != nil {
				break
			}
			if u, complete = decodeUse(buffer); complete {
				break
			}
		}
		if complete {
			p.see(key, u, inodes)
		}
	}
	return nil
}

// Report says which lines hold the connections that the process has open now. Call it
// about once a second: of what a program has forgotten the memory may be used again.
func (p *Prober) Report() (*where.Report, error) {
	inodes, err := p.descriptors()
	if err != nil {
		return nil, err
	}
	if err := p.sweep(inodes); err != nil {
		return nil, err
	}
	sockets, err := p.source.Sockets(context.Background(), socketstats.Query{States: held})
	if err != nil {
		return nil, err
	}
	// A socket may have been connected after the uses were read, and before the list.
	known := p.unresolved
	if len(p.lostOf(inodes, sockets, listeningPorts(inodes, sockets))) > known {
		if inodes, err = p.descriptors(); err != nil {
			return nil, err
		}
		if err := p.sweep(inodes); err != nil {
			return nil, err
		}
	}
	return p.report(inodes, sockets)
}
