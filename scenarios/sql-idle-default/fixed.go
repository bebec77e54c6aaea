package sqlidledefault

import (
	"context"
	"database/sql"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/sqldriver"
)

// fixed is a client of the price database, for 20 workers.
type fixed struct{ db *sql.DB }

// NewFixed returns a client of the price database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	db := sql.OpenDB(sqldriver.Connector{Addr: t.Addr})
	db.SetMaxIdleConns(20)
	return &fixed{db: db}
}

// Call looks one price up.
func (c *fixed) Call(ctx context.Context) error {
	var price int
	return c.db.QueryRowContext(ctx, "SELECT price FROM articles").Scan(&price)
}
