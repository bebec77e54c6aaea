package sqlmaxlifetime

import (
	"context"
	"database/sql"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/sqldriver"
)

// fixed is a client of the stock database, behind a balancer.
type fixed struct{ db *sql.DB }

// NewFixed returns a client of the stock database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	db := sql.OpenDB(sqldriver.Connector{Addr: t.Addr})
	db.SetConnMaxLifetime(400 * time.Millisecond) // the balancer allows 800
	return &fixed{db: db}
}

// Call takes one article from stock.
func (c *fixed) Call(ctx context.Context) error {
	var left int
	return c.db.QueryRowContext(ctx, "UPDATE stock SET n = n - 1 RETURNING n").Scan(&left)
}
