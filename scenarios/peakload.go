package scenarios

import (
	peakload "socketlab/scenarios/peak-load"
	peakloadinparallel "socketlab/scenarios/peak-load-in-parallel"
	peakloadkeepalive "socketlab/scenarios/peak-load-keep-alive"
	peakloadpoolsize "socketlab/scenarios/peak-load-pool-size"
	peakloadshed "socketlab/scenarios/peak-load-shed"
)

// peakLoad is the incident that has many of the others in it, and its repair step
// by step.
var peakLoad = []pair{
	{id: "peak-load", handleFaulty: peakload.NewFaulty, handleFixed: peakload.NewFixed},
	{id: "peak-load-keep-alive", handleFaulty: peakloadkeepalive.NewFaulty, handleFixed: peakloadkeepalive.NewFixed},
	{id: "peak-load-pool-size", handleFaulty: peakloadpoolsize.NewFaulty, handleFixed: peakloadpoolsize.NewFixed},
	{id: "peak-load-in-parallel", handleFaulty: peakloadinparallel.NewFaulty, handleFixed: peakloadinparallel.NewFixed},
	{id: "peak-load-shed", handleFaulty: peakloadshed.NewFaulty, handleFixed: peakloadshed.NewFixed},
}
