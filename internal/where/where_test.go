package where_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"socketlab/internal/where"
)

func TestAClosureOfALibraryIsOfTheLibrary(t *testing.T) {
	t.Parallel()
	stack := []where.Site{
		{Function: "net/http.(*Transport).roundTrip", File: "/go/src/net/http/transport.go"},
		{Function: "main.serve.AllowQuerySemicolons.func1", File: "/go/src/net/http/server.go"}, // inlined into serve
		{Function: "main.serve.func1", File: "/home/shop/main.go"},
		{Function: "net/http.HandlerFunc.ServeHTTP", File: "server.go"}, // built without folders
		{Function: "main.main", File: "main.go"},
	}
	library := where.Libraries(stack, func(function string) bool { return strings.HasPrefix(function, "net/http.") })
	var of []bool
	for _, s := range stack {
		of = append(of, library(s))
	}
	assert.Equal(t, []bool{true, true, false, true, false}, of)
}
