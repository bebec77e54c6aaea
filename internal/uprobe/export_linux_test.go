package uprobe

import (
	"context"

	"socketlab/internal/socketstats"
	"socketlab/internal/where"
)

// OneByOne are the options with the probes of kernels before 6.10.
func (o Options) OneByOne() Options {
	o.oneByOne = true
	return o
}

// BeforeSockets has a function called before each list of the sockets.
func (p *Prober) BeforeSockets(call func()) { p.source = listedAfter{p.source, call} }

type listedAfter struct {
	socketstats.Source
	call func()
}

func (l listedAfter) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	l.call()
	return l.Source.Sockets(ctx, q)
}

// ReportMeanwhile reports with descriptors that were read before something happened.
func (p *Prober) ReportMeanwhile(happens func()) (*where.Report, error) {
	inodes, err := p.descriptors()
	if err != nil {
		return nil, err
	}
	happens()
	if err := p.sweep(inodes); err != nil {
		return nil, err
	}
	return p.Report()
}
