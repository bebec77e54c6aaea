package sqlidledefault

import (
	"context"
	"database/sql"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/sqldriver"
)

// faulty is a client of the price database, for 20 workers.
type faulty struct{ db *sql.DB }

// NewFaulty returns a client of the price database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	db := sql.OpenDB(sqldriver.Connector{Addr: t.Addr})
	return &faulty{db: db}
}

// Call looks one price up.
func (c *faulty) Call(ctx context.Context) error {
	var price int
	return c.db.QueryRowContext(ctx, "SELECT price FROM articles").Scan(&price)
}
