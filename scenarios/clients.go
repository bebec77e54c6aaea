package scenarios

import (
	deadpeerpooled "socketlab/scenarios/dead-peer-pooled"
	http1vshttp2 "socketlab/scenarios/http1-vs-http2"
	http2pinned "socketlab/scenarios/http2-pinned-behind-balancer"
	idletimeoutrace "socketlab/scenarios/idle-timeout-race"
	staledns "socketlab/scenarios/stale-dns"
	clonefortls "socketlab/scenarios/transport-clone-for-tls"
	fanout "socketlab/scenarios/unbounded-fan-out"
)

// clients are incidents of clients that share what they should not, or do not
// share what they should.
var clients = []pair{
	{id: "transport-clone-for-tls", faulty: clonefortls.NewFaulty, fixed: clonefortls.NewFixed},
	{id: "unbounded-fan-out", faulty: fanout.NewFaulty, fixed: fanout.NewFixed},
	{id: "http1-vs-http2", faulty: http1vshttp2.NewFaulty, fixed: http1vshttp2.NewFixed},
	{id: "http2-pinned-behind-balancer", faulty: http2pinned.NewFaulty, fixed: http2pinned.NewFixed},
	{id: "stale-dns", faulty: staledns.NewFaulty, fixed: staledns.NewFixed},
	{id: "idle-timeout-race", faulty: idletimeoutrace.NewFaulty, fixed: idletimeoutrace.NewFixed},
	{id: "dead-peer-pooled", faulty: deadpeerpooled.NewFaulty, fixed: deadpeerpooled.NewFixed},
}
