package scenarios

import (
	notimeout "socketlab/scenarios/no-timeout"
)

// timeouts are the times that can be waited for ever, one by one.
var timeouts = []pair{
	{id: "no-timeout", faulty: notimeout.NewFaulty, fixed: notimeout.NewFixed},
}
