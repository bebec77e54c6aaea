package scenarios

import (
	badcredentials "socketlab/scenarios/bad-credentials"
	bodycutoff "socketlab/scenarios/body-cut-off"
	bodyreset "socketlab/scenarios/body-reset"
	bodytruncated "socketlab/scenarios/body-truncated"
	"socketlab/scenarios/congestion"
	connectionrefused "socketlab/scenarios/connection-refused"
	connectionreset "socketlab/scenarios/connection-reset"
	dnsnotfound "socketlab/scenarios/dns-not-found"
	dnsoutage "socketlab/scenarios/dns-outage"
	dnssilent "socketlab/scenarios/dns-silent"
	firewalldrop "socketlab/scenarios/firewall-drop"
	firewallreject "socketlab/scenarios/firewall-reject"
	toomanyconnections "socketlab/scenarios/too-many-connections"
	unavailableandback "socketlab/scenarios/unavailable-and-back"
)

// failures are errors, and what is made of them.
var failures = []pair{
	{id: "connection-refused", faulty: connectionrefused.NewFaulty, fixed: connectionrefused.NewFixed},
	{id: "connection-reset", faulty: connectionreset.NewFaulty, fixed: connectionreset.NewFixed},
	{id: "body-cut-off", faulty: bodycutoff.NewFaulty, fixed: bodycutoff.NewFixed},
	{id: "body-reset", faulty: bodyreset.NewFaulty, fixed: bodyreset.NewFixed},
	{id: "body-truncated", serveFaulty: bodytruncated.ServeFaulty, serveFixed: bodytruncated.ServeFixed},
	{id: "unavailable-and-back", faulty: unavailableandback.NewFaulty, fixed: unavailableandback.NewFixed},
	{id: "too-many-connections", faulty: toomanyconnections.NewFaulty, fixed: toomanyconnections.NewFixed},
	{id: "bad-credentials", faulty: badcredentials.NewFaulty, fixed: badcredentials.NewFixed},
	{id: "dns-not-found", faulty: dnsnotfound.NewFaulty, fixed: dnsnotfound.NewFixed},
	{id: "dns-silent", faulty: dnssilent.NewFaulty, fixed: dnssilent.NewFixed},
	{id: "dns-outage", faulty: dnsoutage.NewFaulty, fixed: dnsoutage.NewFixed},
	{id: "firewall-drop", faulty: firewalldrop.NewFaulty, fixed: firewalldrop.NewFixed},
	{id: "firewall-reject", faulty: firewallreject.NewFaulty, fixed: firewallreject.NewFixed},
	{id: "congestion", faulty: congestion.NewFaulty, fixed: congestion.NewFixed},
}
