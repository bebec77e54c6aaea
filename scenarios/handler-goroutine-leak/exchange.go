package handlergoroutineleak

import "time"

// askExchange asks the exchange for a price, on a day on which it is slow.
func askExchange() string {
	time.Sleep(200 * time.Millisecond)
	return "42"
}
