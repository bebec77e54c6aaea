#!/usr/bin/env bash
# github.com/google/nftables v0.3.0 lists VerdictQueue among the verdicts of a rule
# ("Verdicts, as per netfilter.h and netfilter/nf_tables.h"), beside VerdictAccept and
# VerdictDrop.
#
# Expected: a rule with the verdict Queue is taken like one with Accept or Drop, and puts
# packets into queue 0 (NF_QUEUE is 3 in netfilter.h).
#
# Real behaviour, on Linux 6.18: Accept, Drop and Return are taken; Queue is refused, and the
# library's error is "conn.Receive: netlink receive: invalid argument", which names neither
# the rule nor the verdict. The expression that queues packets is another one, expr.Queue.
#
# Why it matters: the code reads as if it were right, and the error does not lead to the
# rule. A batch is taken whole or not at all (nft(8)), so the other rules are missing, too.
#
# Output seen (Linux 6.18.44, go1.26.8):
#   accept: taken
#   drop: taken
#   return: taken
#   queue: conn.Receive: netlink receive: invalid argument
#
# It needs Go and user namespaces (unshare -Urn); rules are made in a namespace of its own.
# It ends with 1 if the kernel, or the library, behaves otherwise.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/google/nftables@v0.3.0 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

func try(kind expr.VerdictKind) error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	t := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "finding"})
	chain := c.AddChain(&nftables.Chain{
		Name: "input", Table: t, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: []expr.Any{&expr.Verdict{Kind: kind}}})
	return c.Flush()
}

func main() {
	for _, v := range []struct {
		name string
		kind expr.VerdictKind
	}{{"accept", expr.VerdictAccept}, {"drop", expr.VerdictDrop}, {"return", expr.VerdictReturn}, {"queue", expr.VerdictQueue}} {
		said := "taken"
		if err := try(v.kind); err != nil {
			said, _, _ = strings.Cut(err.Error(), "\n")
		}
		fmt.Println(v.name + ": " + said)
	}
}
GO
go build -o finding .
unshare -Urn ./finding | tee output
diff - output <<'WANT'
accept: taken
drop: taken
return: taken
queue: conn.Receive: netlink receive: invalid argument
WANT
