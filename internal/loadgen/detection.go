package loadgen

import (
	"sync/atomic"
	"time"
)

// Detection is how long a peer had been silent when a caller noticed that it was gone.
// A [Caller] that embeds one reports it as values.detected_ms. The zero value is ready,
// and has noticed nothing. It is safe for use by several goroutines; the last one counts.
type Detection struct{ silent atomic.Int64 }

// Noticed says that the peer is gone, and when it was heard of last.
func (d *Detection) Noticed(heard time.Time) { d.silent.Store(int64(time.Since(heard))) }

// Values returns detected_ms; nothing as long as nothing was noticed.
func (d *Detection) Values() map[string]float64 {
	silent := time.Duration(d.silent.Load())
	if silent == 0 {
		return nil
	}
	return map[string]float64{"detected_ms": float64(silent.Milliseconds())}
}
