package rowsnotclosed

import (
	"context"
	"database/sql"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/sqldriver"
)

// fixed is a client of the order database.
type fixed struct{ db *sql.DB }

// NewFixed returns a client of the order database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	db := sql.OpenDB(sqldriver.Connector{Addr: t.Addr})
	db.SetMaxOpenConns(5)
	db.SetMaxIdleConns(5)
	return &fixed{db: db}
}

// Call reads the open orders, up to number 5.
func (c *fixed) Call(ctx context.Context) error {
	rows, err := c.db.QueryContext(ctx, "SELECT number FROM orders")
	if err != nil {
		return err
	}
	defer rows.Close()
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
