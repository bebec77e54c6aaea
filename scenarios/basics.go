package scenarios

import (
	abruptshutdown "socketlab/scenarios/abrupt-shutdown"
	bodynotclosed "socketlab/scenarios/body-not-closed"
	bodynotdrained "socketlab/scenarios/body-not-drained"
	conncapplusleak "socketlab/scenarios/conn-cap-plus-leak"
	errorbodynotclosed "socketlab/scenarios/error-body-not-closed"
	idlepooltoosmall "socketlab/scenarios/idle-pool-too-small"
	keepalivesdisabled "socketlab/scenarios/keepalives-disabled"
	newclientsharedtransport "socketlab/scenarios/new-client-shared-transport"
	transportperrequest "socketlab/scenarios/transport-per-request"
)

// basics are the incidents to begin with: connections and bodies that are not
// given back.
var basics = []pair{
	{id: Default, faulty: transportperrequest.NewFaulty, fixed: transportperrequest.NewFixed},
	{id: "new-client-shared-transport", faulty: newclientsharedtransport.NewFaulty, fixed: newclientsharedtransport.NewFixed},
	{id: "body-not-closed", faulty: bodynotclosed.NewFaulty, fixed: bodynotclosed.NewFixed},
	{id: "error-body-not-closed", faulty: errorbodynotclosed.NewFaulty, fixed: errorbodynotclosed.NewFixed},
	{id: "conn-cap-plus-leak", faulty: conncapplusleak.NewFaulty, fixed: conncapplusleak.NewFixed},
	{id: "body-not-drained", faulty: bodynotdrained.NewFaulty, fixed: bodynotdrained.NewFixed},
	{id: "idle-pool-too-small", faulty: idlepooltoosmall.NewFaulty, fixed: idlepooltoosmall.NewFixed},
	{id: "keepalives-disabled", faulty: keepalivesdisabled.NewFaulty, fixed: keepalivesdisabled.NewFixed},
	{id: "abrupt-shutdown", serveFaulty: abruptshutdown.ServeFaulty, serveFixed: abruptshutdown.ServeFixed},
}
