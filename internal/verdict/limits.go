package verdict

import (
	"fmt"
	"time"
)

// portsLow finds that most local ports towards one destination are taken.
func portsLow(f *facts) *finding {
	taken := maxPerDestination(f.last())
	if f.Limits.Ports == 0 || 10*taken < 8*f.Limits.Ports {
		return nil
	}
	return &finding{kind: PortExhaustion, confidence: High, evidence: []string{fmt.Sprintf(
		"%d of the %d local ports towards one destination are taken, %d of all connections in TIME_WAIT.",
		taken, f.Limits.Ports, clientIn(timeWait)(f.last()))}}
}

func maxPerDestination(s *Sample) int {
	if s.Client.Activity == nil {
		return 0
	}
	return s.Client.Activity.MaxPerDestination
}

// descriptorsLow finds that the process is close to its limit.
func descriptorsLow(f *facts) *finding {
	open := f.last().Descriptors
	if f.Limits.Descriptors == 0 || 10*open < 9*f.Limits.Descriptors {
		return nil
	}
	return &finding{kind: FDExhaustion, confidence: High, evidence: []string{fmt.Sprintf(
		"%d of the %d descriptors that the process may have are open.", open, f.Limits.Descriptors)}}
}

// lingerTime is how long Linux keeps a socket in TIME_WAIT (TCP_TIMEWAIT_LEN in
// include/net/tcp.h).
const lingerTime = 60 * time.Second

// forecast says what runs out first, if it goes on like this; "" if nothing
// that is known does.
func (f *facts) forecast() string {
	if text := f.descriptorsEnd(); text != "" {
		return text
	}
	return f.portsEnd()
}

func (f *facts) descriptorsEnd() string {
	perSecond := f.slopeFrom(0, func(s *Sample) int { return s.Descriptors })
	if perSecond <= 0 || f.Limits.Descriptors == 0 || f.last().Descriptors == 0 || f.growth() <= 0 {
		return ""
	}
	left := max(0, f.Limits.Descriptors-f.last().Descriptors)
	return fmt.Sprintf("At this rate the process has its %d descriptors in %s.", f.Limits.Descriptors, after(left, perSecond))
}

// portsEnd is of ports that are used once: they come back after a minute.
func (f *facts) portsEnd() string {
	t := f.trendOf(maxPerDestination)
	if t.perSecond <= 0 || f.Limits.Ports == 0 || !t.grows {
		return ""
	}
	most := int(t.perSecond * lingerTime.Seconds())
	lingering := clientIn(timeWait)(f.last()) > clientOpen(f.last())
	if lingering && most < f.Limits.Ports {
		return fmt.Sprintf("At this rate about %d of %d local ports towards the destination are in TIME_WAIT at any time.", most, f.Limits.Ports)
	}
	left := max(0, f.Limits.Ports-maxPerDestination(f.last()))
	return fmt.Sprintf("At this rate the %d local ports towards the destination are taken in %s.", f.Limits.Ports, after(left, t.perSecond))
}

// after is how long it takes until n more are there.
func after(n int, perSecond float64) string {
	const ages = 365 * 24 * time.Hour
	seconds := float64(n) / perSecond
	if seconds > ages.Seconds() {
		return "more than a year"
	}
	return short(time.Duration(seconds * float64(time.Second)))
}
