package httppool

import (
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// Caller is the function that wanted the request: the first of its stack outside the standard library
// and well-known client packages, or the first outside net/http where there is none. It is
// the zero Frame without a stack.
func (r Request) Caller() runtime.Frame {
	var fallback runtime.Frame
	for _, f := range r.Stack {
		switch {
		case strings.HasPrefix(f.Function, "net/http."):
			continue
		case !isStandard(f) && !isClient(f.Function):
			return f
		case fallback.Function == "":
			fallback = f
		}
	}
	return fallback
}

// clients are packages between a request and who wanted it.
var clients = []string{
	"cloud.google.com/go", "github.com/aws/", "github.com/Azure/azure-sdk-for-go/", "github.com/cenkalti/backoff",
	"github.com/dghubble/sling", "github.com/elastic/", "github.com/go-resty/resty", "github.com/gojek/heimdall",
	"github.com/google/go-github", "github.com/hashicorp/go-cleanhttp", "github.com/hashicorp/go-retryablehttp",
	"github.com/imroc/req", "github.com/minio/minio-go", "github.com/prometheus/client_golang", "github.com/stripe/stripe-go",
	"go.elastic.co/", "go.opentelemetry.io/", "golang.org/x/net/", "golang.org/x/oauth2", "google.golang.org/api",
	"gopkg.in/DataDog/", "gopkg.in/h2non/gentleman", "k8s.io/client-go", "resty.dev/", "socketlab/httppool.",
}

func isClient(function string) bool {
	return slices.ContainsFunc(clients, func(prefix string) bool { return strings.HasPrefix(function, prefix) })
}

// goroot is where the files of the standard library are; "" in a program built with -trimpath.
var goroot = func() string {
	f := runtime.FuncForPC(reflect.ValueOf(http.Get).Pointer())
	if f == nil {
		return ""
	}
	file, _ := f.FileLine(f.Entry())
	root, _, _ := strings.Cut(file, "net/http/")
	return root
}()

// standard are the first elements of the standard library's packages in which a stack can be.
var standard = []string{
	"bufio", "bytes", "compress", "context", "crypto", "database", "encoding", "errors", "expvar", "fmt", "html", "internal", "io",
	"iter", "log", "maps", "mime", "net", "os", "reflect", "runtime", "slices", "sort", "strings", "sync", "testing", "text", "time", "vendor",
}

func isStandard(f runtime.Frame) bool {
	if goroot != "" {
		return strings.HasPrefix(f.File, goroot)
	}
	first, _, _ := strings.Cut(f.File, "/")
	return slices.Contains(standard, first)
}
