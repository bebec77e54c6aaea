//go:build !linux && !windows

package socketstats

// On Linux, lsof would be the dearest source and see the least.
func init() {
	const program = 50 // a program that is started for each listing, as gopsutil does too
	register("lsof", program, func() (Source, error) {
		l, err := OpenLsof()
		if err != nil {
			return nil, err
		}
		return l, nil
	})
}
