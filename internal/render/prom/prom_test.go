package prom

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func peer(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i / 256), byte(i)}), 5432)
}

// process is a client with so many sockets to each of so many peers.
func process(pid, sockets0, peers int) *Subject {
	s := &Subject{
		Subject: series.Subject{Identity: series.Identity{ID: fmt.Sprint(pid), PID: int32(pid), Runtime: "go"}, Samples: []series.Sample{{
			KernelConns:   &series.ConnCounts{Opened: 10, Closed: 7, WithTCPInfo: 5, ShortLived: 3, Accepted: series.AcceptedConns{Opened: 4, Closed: 2, WithTCPInfo: 2, ShortLived: 1}},
			Queue:         &series.Queue{Waiting: 3, Limit: 128},
			ClientMetrics: series.ClientMetrics{Process: &series.Process{Descriptors: 20, Kinds: map[string]int{"tcp": 12, "file": 8}}},
		}}},
		Owner:   observe.Owner{Name: "app", Cgroup: socketstats.Cgroup{Runtime: "docker", ID: strings.Repeat("0123", 16), Pod: "uid-1"}},
		sockets: map[sockets]int{},
	}
	s.Limits = socketstats.Limits{Descriptors: 1024, Ports: 28232}
	for i := range peers {
		s.sockets[sockets{socketstats.Client, socketstats.CloseWait, peer(i)}] = sockets0
		s.total += sockets0
	}
	return s
}

func judged(s *Subject, v verdict.Verdict) *Subject {
	growth := series.Growth(0.5)
	s.Verdict, s.Growth = &v, &growth
	return s
}

func leak() verdict.Verdict {
	return verdict.Verdict{Kind: "close-wait-leak", Severity: verdict.Leak, Confidence: verdict.High, Forecast: &verdict.Forecast{What: verdict.Descriptors, InMS: 90_000}}
}

func show(t *testing.T, e *Exporter, subjects ...*Subject) string {
	t.Helper()
	e.Expiry = time.Minute
	e.Show(&View{Subjects: subjects, Newest: series.Moment{Clock: time.Unix(1000, 0), Took: time.Second}, Unobserved: map[string]int{observe.NotPermitted: 2}})
	return text(t, e)
}

func text(t *testing.T, g prometheus.Gatherer) string {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	var b bytes.Buffer
	for _, f := range families {
		_, err := expfmt.MetricFamilyToText(&b, f)
		require.NoError(t, err)
	}
	return b.String()
}

func TestNamesAndHelpFollowTheConventions(t *testing.T) {
	t.Parallel()
	e := &Exporter{Most: 10}
	show(t, e, judged(process(1, 2, 2), leak()))
	problems, err := testutil.GatherAndLint(e)
	require.NoError(t, err)
	require.Empty(t, problems, "%v", problems)
	families, err := e.Gather()
	require.NoError(t, err)
	for _, f := range families {
		require.NotEmpty(t, f.GetHelp(), f.GetName())
	}
}

func TestAProcessIsItsSeries(t *testing.T) {
	t.Parallel()
	got := show(t, &Exporter{Most: 10}, judged(process(42, 3, 1), leak()))
	const who = `pid="42",pod="uid-1",process="app"`
	for _, line := range []string{
		`socketlab_sockets{container="012301230123",end="client",peer_service="10.0.0.0:5432",` + who + `,state="CLOSE_WAIT"} 3`,
		`socketlab_connections_opened_total{container="012301230123",end="client",` + who + `} 6`,
		`socketlab_connections_opened_total{container="012301230123",end="server",` + who + `} 4`,
		`socketlab_connections_closed_total{container="012301230123",end="client",how="short_lived",` + who + `} 2`,
		`socketlab_connections_closed_total{container="012301230123",end="client",how="reused",` + who + `} 1`,
		`socketlab_connections_closed_total{container="012301230123",end="client",how="unknown",` + who + `} 2`,
		`socketlab_descriptors{container="012301230123",kind="tcp",` + who + `} 12`,
		`socketlab_open_descriptors_limit{container="012301230123",` + who + `} 1024`,
		`socketlab_listener_queue_connections{container="012301230123",` + who + `} 3`,
		`socketlab_fault{container="012301230123",kind="close-wait-leak",` + who + `} 1`,
		`socketlab_fault{container="012301230123",kind="connection-growth",` + who + `} 0`,
		`socketlab_exhaustion_seconds{container="012301230123",` + who + `,resource="descriptors"} 90`,
		`socketlab_open_sockets_growth_per_second{container="012301230123",` + who + `} 0.5`,
		`socketlab_unobserved_processes{reason="not_permitted"} 2`,
		`socketlab_last_sample_timestamp_seconds 1000`,
	} {
		require.Contains(t, got, line+"\n")
	}
}

func TestWhatIsNotKnownHasNoSeries(t *testing.T) {
	t.Parallel()
	e := &Exporter{Most: 10}
	require.NotContains(t, show(t, e, process(1, 1, 1)), "socketlab_fault", "there is no verdict yet")
	require.NotContains(t, show(t, e, judged(process(1, 1, 1), verdict.Verdict{Kind: verdict.NotEnoughData})), "socketlab_fault")
	healthy := show(t, e, judged(process(1, 1, 1), verdict.Verdict{Kind: verdict.Healthy}))
	require.Contains(t, healthy, "socketlab_fault")
	require.NotContains(t, healthy, "} 1\nsocketlab_fault")
	require.NotContains(t, healthy, "socketlab_exhaustion_seconds")
}

func TestANoteIsNoFault(t *testing.T) {
	t.Parallel()
	got := show(t, &Exporter{Most: 10}, judged(process(1, 1, 1), verdict.Verdict{Kind: "connection-churn", Severity: verdict.Note, Forecast: &verdict.Forecast{What: verdict.Ports, Steady: 5}}))
	require.Regexp(t, `socketlab_fault\{[^}]*kind="connection-churn"[^}]*\} 0`, got)
	require.Regexp(t, `socketlab_verdict_info\{[^}]*kind="connection-churn"[^}]*severity="note"\} 1`, got)
	require.Regexp(t, `socketlab_exhaustion_seconds\{[^}]*resource="ports"\} \+Inf`, got)
}

func TestPeersAreBoundedAndTheirSumStays(t *testing.T) {
	t.Parallel()
	e := &Exporter{Most: 10}
	families := func(got string) (labels map[string]bool, sum int) {
		labels = map[string]bool{}
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "socketlab_sockets{") {
				_, rest, _ := strings.Cut(line, `peer_service="`)
				label, _, _ := strings.Cut(rest, `"`)
				labels[label] = true
				var n int
				_, err := fmt.Sscan(line[strings.LastIndex(line, " "):], &n)
				require.NoError(t, err)
				sum += n
			}
		}
		return labels, sum
	}
	labels, sum := families(show(t, e, process(1, 2, 50), process(2, 1, 30)))
	require.Len(t, labels, mostPeers+1)
	require.Contains(t, labels, otherPeers)
	require.Equal(t, 130, sum)

	first := labels
	labels, _ = families(show(t, e, process(1, 2, 60), process(3, 1, 30)))
	require.Equal(t, first, labels, "a label stays while its peer has sockets")

	newcomer := process(4, 0, 0)
	newcomer.sockets[sockets{socketstats.Client, socketstats.Established, peer(999)}] = 100
	labels, _ = families(show(t, e, process(1, 2, 60), newcomer))
	require.Contains(t, labels, peer(999).String(), "one with far more sockets gets a label")
	require.Len(t, labels, mostPeers+1)
}

func TestProcessesAreBoundedAndAFaultyOneIsShown(t *testing.T) {
	t.Parallel()
	var subjects []*Subject
	for pid := range 50 {
		subjects = append(subjects, process(pid+1, 5, 1))
	}
	e := &Exporter{Most: 10}
	got := show(t, e, subjects...)
	require.Contains(t, got, `socketlab_processes{series="own"} 10`)
	require.Contains(t, got, `socketlab_processes{series="other"} 40`)
	require.Contains(t, got, `socketlab_sockets{end="client",peer_service="10.0.0.0:5432",process="other",state="CLOSE_WAIT"} 200`)

	subjects[49] = judged(process(50, 1, 1), leak())
	got = show(t, e, subjects...)
	require.Regexp(t, `socketlab_fault\{[^}]*kind="close-wait-leak",pid="50"[^}]*\} 1`, got)
	require.Contains(t, got, `socketlab_processes{series="own"} 10`)
}

func TestACounterNeverFalls(t *testing.T) {
	t.Parallel()
	e := &Exporter{Most: 10}
	show(t, e, process(1, 1, 1))
	fewer := process(1, 1, 1)
	fewer.Samples[0].KernelConns.Opened = 5 // a list that missed some sockets
	require.Regexp(t, `socketlab_connections_opened_total\{[^}]*end="client"[^}]*\} 6`, show(t, e, fewer))
	require.Len(t, e.highest, 8)
	show(t, e, process(2, 1, 1))
	require.Len(t, e.highest, 8, "what a process counted that is gone is forgotten")
}

func TestThereIsNothingToScrapeWithoutANewSample(t *testing.T) {
	t.Parallel()
	e := &Exporter{Most: 10}
	_, err := e.Gather()
	require.ErrorContains(t, err, "for the first time")
	show(t, e, process(1, 1, 1))
	e.Expiry = 0
	_, err = e.Gather()
	require.ErrorContains(t, err, "old")
	e.Fail(fmt.Errorf("no netlink"))
	_, err = e.Gather()
	require.ErrorContains(t, err, "no netlink")
}

// A day of pods that come and go, with a sample every 15 s. In each of them one process
// in ten is another.
func TestADayOfPodsKeepsTheSeriesBounded(t *testing.T) {
	t.Parallel()
	const samples, slots, own = 24 * 3600 / 15, 20, 15
	e := &Exporter{Most: own, Expiry: time.Minute}
	most := 0
	for i := range samples {
		var subjects []*Subject
		for slot := range slots {
			life := i / 10
			if slot%10 < i%10 {
				life++
			}
			pid := 1 + slot + slots*life
			subjects = append(subjects, process(pid, 1+slot%3, 1+pid%4))
		}
		e.Show(&View{Subjects: subjects})
		if i%100 == 0 {
			families, err := e.Gather()
			require.NoError(t, err)
			most = max(most, count(families))
		}
	}
	require.Less(t, most, 30*own)
	require.LessOrEqual(t, len(e.peers), mostPeers)
	require.LessOrEqual(t, len(e.chosen), own)
	require.LessOrEqual(t, len(e.highest), own*8)
}

func count(families []*dto.MetricFamily) (n int) {
	for _, f := range families {
		n += len(f.GetMetric())
	}
	return n
}
