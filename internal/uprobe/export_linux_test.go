package uprobe

import (
	"context"

	"socketlab/internal/socketstats"
)

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
