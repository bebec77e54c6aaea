//go:build go1.27

package httppool_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"socketlab/httppool"
)

func TestInMemoryServerOfTheStandardLibrary(t *testing.T) {
	server := httptest.NewTestServer(t, text)
	client, pool := watch(t, server, nil)
	get(t, client, "http://example.com/")
	s := pool.Snapshot()
	assert.Equal(t, map[httppool.State]int{httppool.Idle: 1}, count(s))
	assert.Equal(t, 1, s.Connections[0].Uses)
}
