package scenarios

import (
	notimeout "socketlab/scenarios/no-timeout"
	timeoutconnect "socketlab/scenarios/timeout-connect"
	timeoutidle "socketlab/scenarios/timeout-idle"
	timeoutreadstall "socketlab/scenarios/timeout-read-stall"
	timeoutresponseheader "socketlab/scenarios/timeout-response-header"
	timeouttlshandshake "socketlab/scenarios/timeout-tls-handshake"
	timeoutwritestall "socketlab/scenarios/timeout-write-stall"
)

// timeouts are the times that can be waited for ever, one by one.
var timeouts = []pair{
	{id: "timeout-connect", faulty: timeoutconnect.NewFaulty, fixed: timeoutconnect.NewFixed},
	{id: "timeout-tls-handshake", faulty: timeouttlshandshake.NewFaulty, fixed: timeouttlshandshake.NewFixed},
	{id: "timeout-response-header", faulty: timeoutresponseheader.NewFaulty, fixed: timeoutresponseheader.NewFixed},
	{id: "no-timeout", faulty: notimeout.NewFaulty, fixed: notimeout.NewFixed},
	{id: "timeout-read-stall", faulty: timeoutreadstall.NewFaulty, fixed: timeoutreadstall.NewFixed},
	{id: "timeout-write-stall", faulty: timeoutwritestall.NewFaulty, fixed: timeoutwritestall.NewFixed},
	{id: "timeout-idle", faulty: timeoutidle.NewFaulty, fixed: timeoutidle.NewFixed},
}
