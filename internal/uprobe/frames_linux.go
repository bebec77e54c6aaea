package uprobe

import (
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/callsite"
)

// dialConnFor is what the goroutine does that net/http begins for a dial.
const dialConnFor = "net/http.(*Transport).dialConnFor"

// frames are those of an object's last use, the innermost first. Those of a goroutine that
// dials for a request are followed by those of the request, of which the key is returned,
// too; 0 if there is none, or it is not known.
func (p *Prober) frames(h *holding) (list []callsite.Frame, request uint64) {
	list = p.stackOf(h)
	if !p.isGo() || !slices.ContainsFunc(list, func(f callsite.Frame) bool { return f.Function == dialConnFor }) {
		return list, 0
	}
	var began uint64 // the last dial that the goroutine began before is this one
	for _, key := range p.dials[h.routine] {
		if at := p.objects[key].at; at <= h.at && at > began {
			request, began = key-1, at
		}
	}
	of := p.objects[request]
	if of == nil || of.at > began { // the memory is that of another request by now
		return list, 0
	}
	return append(list, p.stackOf(of)...), request
}

// stackOf are the frames of one stack.
func (p *Prober) stackOf(h *holding) []callsite.Frame {
	var list []callsite.Frame
	for i, pc := range h.stack {
		pc -= p.bias
		if i > 0 || !p.isGo() {
			pc-- // of a return address, the call before it
		}
		list = append(list, p.binary.Frames(pc)...)
	}
	return list
}

// noSite is the reason why no line is known for an object.
func (p *Prober) noSite(h *holding) string {
	if !p.isGo() {
		return noConnect(h.stack)
	}
	frames, _ := p.frames(h)
	if len(frames) == 0 {
		return "their stack could not be read"
	}
	if len(h.stack) >= mostFrames {
		return fmt.Sprintf("their stack has more than %d frames, and those that can be seen are all of libraries", mostFrames)
	}
	last := frames[len(frames)-1].Function
	for i := len(frames) - 1; i >= 0 && strings.HasPrefix(frames[i].Function, "runtime."); i-- {
		if i > 0 {
			last = frames[i-1].Function
		}
	}
	return "a goroutine of the library used them, begun at " + last
}
