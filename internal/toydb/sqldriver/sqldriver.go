// Package sqldriver makes a toydb server usable through database/sql, for
// scenarios about the pool that database/sql keeps:
//
//	db := sql.OpenDB(sqldriver.Connector{Addr: addr})
//
// A query has no arguments and one row of one column. There are no prepared
// statements and no transactions. The driver never looks at a connection before it
// is used, and a query that failed is not repeated: the server may have run it.
package sqldriver

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"socketlab/internal/toydb"
)

// Connector opens connections to one server.
type Connector struct {
	Addr string // host and port
}

// Connect opens a connection, under ctx until the server has set it up.
func (c Connector) Connect(ctx context.Context) (driver.Conn, error) {
	db, err := toydb.Open(ctx, c.Addr)
	if err != nil {
		return nil, err
	}
	return &conn{db: db}, nil
}

// Driver returns a driver that opens nothing: a server has an address, and no
// name of a data source.
func (c Connector) Driver() driver.Driver { return unnamed{} }

type unnamed struct{}

func (unnamed) Open(string) (driver.Conn, error) {
	return nil, errors.New("sqldriver: use sql.OpenDB with a Connector")
}

// conn is a connection. database/sql uses it from one goroutine at a time.
type conn struct {
	db     *toydb.Conn
	failed bool
}

var (
	_ driver.QueryerContext = (*conn)(nil)
	_ driver.Validator      = (*conn)(nil)
	_ driver.Pinger         = (*conn)(nil)
)

// QueryContext sends a query and reads its row.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) > 0 {
		return nil, errors.New("sqldriver: toydb has no arguments of queries")
	}
	value, err := c.db.Query(ctx, query)
	if err != nil {
		c.failed = true
		return nil, err
	}
	return &rows{value: value}, nil
}

// IsValid reports whether the pool may keep the connection: not after an error,
// since a late row would be taken for that of the next query.
func (c *conn) IsValid() bool { return !c.failed }

// Ping sends a query whose row does not matter.
func (c *conn) Ping(ctx context.Context) error {
	_, err := c.QueryContext(ctx, "SELECT 1", nil)
	return err
}

func (c *conn) Close() error { return c.db.Close() }

func (c *conn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("sqldriver: toydb has no prepared statements")
}

func (c *conn) Begin() (driver.Tx, error) {
	return nil, errors.New("sqldriver: toydb has no transactions")
}

// rows is the result of a query: one row.
type rows struct {
	value string
	read  bool
}

func (r *rows) Columns() []string { return []string{"value"} }
func (r *rows) Close() error      { return nil }

func (r *rows) Next(dest []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	dest[0] = r.value
	return nil
}
