package sqlmaxlifetime

import (
	"context"
	"database/sql"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/sqldriver"
)

// faulty is a client of the stock database, behind a balancer.
type faulty struct{ db *sql.DB }

// NewFaulty returns a client of the stock database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	db := sql.OpenDB(sqldriver.Connector{Addr: t.Addr})
	return &faulty{db: db}
}

// Call takes one article from stock.
func (c *faulty) Call(ctx context.Context) error {
	var left int
	return c.db.QueryRowContext(ctx, "UPDATE stock SET n = n - 1 RETURNING n").Scan(&left)
}
