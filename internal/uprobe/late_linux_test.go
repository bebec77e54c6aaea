package uprobe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/callsite"
	"socketlab/internal/socketstats"
)

func TestLongTimeUntilCallsAreSeenIsSaid(t *testing.T) {
	t.Parallel()
	lost, err := newLost()
	if err != nil {
		t.Skip("it needs CAP_BPF: ", err)
	}
	defer lost.Close()
	p := &Prober{lost: lost, attaching: 3 * time.Second, objects: map[uint64]*holding{}}
	p.binary = &callsite.Binary{Go: "go1.26.9"}
	open := []socketstats.Socket{{State: socketstats.Established, Inode: 7}}
	r, err := p.report(map[int]uint32{3: 7}, open)
	require.NoError(t, err)
	require.Equal(t, []string{"It took 3s until every call could be seen: what was opened in that time and not used since has no line."}, r.Notes)
	r, err = p.report(nil, nil)
	require.NoError(t, err)
	require.Empty(t, r.Notes, "every connection has a line")
	p.attaching = time.Millisecond
	r, err = p.report(map[int]uint32{3: 7}, open)
	require.NoError(t, err)
	require.Empty(t, r.Notes)
}
