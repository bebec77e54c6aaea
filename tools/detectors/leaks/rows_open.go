package leaks

import (
	"context"
	"database/sql"

	"socketlab/internal/toydb/sqldriver"
)

var db *sql.DB

func openDB(p Peer) error {
	db = sql.OpenDB(sqldriver.Connector{Addr: p.DB})
	return nil
}

// rowsOpen reads the first row only.
func rowsOpen(Peer) error {
	rows, err := db.QueryContext(context.Background(), "SELECT 1")
	if err != nil {
		return err
	}
	rows.Next()
	return rows.Err()
}
