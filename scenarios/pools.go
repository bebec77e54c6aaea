package scenarios

import (
	dialperquery "socketlab/scenarios/dial-per-query"
)

// pools are incidents of pools of connections, over HTTP and over raw TCP.
var pools = []pair{
	{id: "dial-per-query", faulty: dialperquery.NewFaulty, fixed: dialperquery.NewFixed},
}
