package rowsnotclosed

import (
	"context"
	"database/sql"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/sqldriver"
)

// faulty is a client of the order database.
type faulty struct{ db *sql.DB }

// NewFaulty returns a client of the order database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	db := sql.OpenDB(sqldriver.Connector{Addr: t.Addr})
	db.SetMaxOpenConns(5)
	db.SetMaxIdleConns(5)
	return &faulty{db: db}
}

// Call reads the open orders, up to number 5.
func (c *faulty) Call(ctx context.Context) error {
	rows, err := c.db.QueryContext(ctx, "SELECT number FROM orders")
	if err != nil {
		return err
	}
	for rows.Next() {
		var number int
		if err = rows.Scan(&number); err != nil {
			return err
		}
		if number == 5 {
			return nil
		}
	}
	return rows.Err()
}
