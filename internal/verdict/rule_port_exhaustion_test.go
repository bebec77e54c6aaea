package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func portsInUse(n int) *series.Subject {
	return observed(20, func(_ int, s *series.Sample) { s.Client.Activity.MaxPerDestination = n })
}

// refused is a client that opens a connection for each request, of which 20 got a port.
func refused(errorName string, used int) *series.Subject {
	return played(20, func(i int, s *series.Sample) {
		sent := int64(3 * (i + 1))
		failed := max(0, sent-20)
		s.Requests = &series.Requests{Sent: sent, OK: sent - failed, Failed: failed}
		if failed > 0 {
			s.Requests.Errors = map[string]int64{errorName: failed}
		}
		s.Connections.Opened = sent - failed
		s.Client.Activity = &socketstats.Activity{MaxPerDestination: used}
	})
}

var _ = examplesOf(verdict.PortExhaustion,
	example{name: "most ports are in use", subject: portsInUse(25_000), confidence: verdict.High, says: "25,000 of 28,232 local ports to one destination are in use."},
	example{name: "connects found none free", subject: refused("EADDRNOTAVAIL", 20), confidence: verdict.High, says: "40 requests failed because no local port was free (EADDRNOTAVAIL), with 20 sockets to one destination."},
	example{name: "bound to an address that is not here", subject: refused("EADDRNOTAVAIL", 0), instead: verdict.Healthy},
	example{name: "refused by the server", subject: refused("ECONNREFUSED", 20), instead: verdict.Healthy},
	example{name: "three in four are", subject: portsInUse(21_000), instead: verdict.Healthy},
)
