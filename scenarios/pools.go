package scenarios

import (
	contextnotpassed "socketlab/scenarios/context-not-passed"
	dialperquery "socketlab/scenarios/dial-per-query"
	poolcheckoutleak "socketlab/scenarios/pool-checkout-leak"
	poolundersized "socketlab/scenarios/pool-undersized"
	requestsperconnection "socketlab/scenarios/requests-per-connection"
	retrybackoffonly "socketlab/scenarios/retry-backoff-only"
	retrystorm "socketlab/scenarios/retry-storm"
	setupcost "socketlab/scenarios/set-up-cost"
	stalepoolafterrestart "socketlab/scenarios/stale-pool-after-restart"
	stalepoolping "socketlab/scenarios/stale-pool-ping"
	timeoutchurn "socketlab/scenarios/timeout-churn"
)

// pools are incidents of pools of connections, over HTTP and over raw TCP, and
// of what is tried again when a server is slow.
var pools = []pair{
	{id: "dial-per-query", faulty: dialperquery.NewFaulty, fixed: dialperquery.NewFixed},
	{id: "set-up-cost", faulty: setupcost.NewFaulty, fixed: setupcost.NewFixed},
	{id: "pool-checkout-leak", faulty: poolcheckoutleak.NewFaulty, fixed: poolcheckoutleak.NewFixed},
	{id: "pool-undersized", faulty: poolundersized.NewFaulty, fixed: poolundersized.NewFixed},
	{id: "stale-pool-after-restart", faulty: stalepoolafterrestart.NewFaulty, fixed: stalepoolafterrestart.NewFixed},
	{id: "stale-pool-ping", faulty: stalepoolping.NewFaulty, fixed: stalepoolping.NewFixed},
	{id: "requests-per-connection", faulty: requestsperconnection.NewFaulty, fixed: requestsperconnection.NewFixed},
	{id: "timeout-churn", faulty: timeoutchurn.NewFaulty, fixed: timeoutchurn.NewFixed},
	{id: "context-not-passed", handleFaulty: contextnotpassed.NewFaulty, handleFixed: contextnotpassed.NewFixed},
	{id: "retry-storm", faulty: retrystorm.NewFaulty, fixed: retrystorm.NewFixed},
	{id: "retry-backoff-only", faulty: retrybackoffonly.NewFaulty, fixed: retrybackoffonly.NewFixed},
}
