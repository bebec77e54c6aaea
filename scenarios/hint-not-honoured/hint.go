package hintnothonoured

import (
	"fmt"
	"net/http"
	"time"
)

// announced returns how long the server keeps an idle connection, by its header; 0 if it
// does not say.
func announced(h http.Header) time.Duration {
	var seconds int
	_, _ = fmt.Sscanf(h.Get("Keep-Alive"), "timeout=%d", &seconds) // 0 where there is none
	return time.Duration(seconds) * time.Second
}
