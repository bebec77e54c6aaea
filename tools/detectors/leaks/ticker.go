package leaks

import "time"

// ticker starts what has to be done each hour, and never stops it.
func ticker(Peer) error {
	t := time.NewTicker(time.Hour)
	go func() {
		for range t.C {
			keep(nil)
		}
	}()
	return nil
}
