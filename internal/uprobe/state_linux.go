package uprobe

import (
	"strings"

	"socketlab/internal/where"
)

// state is what an object does with its connection now; "" if it has given it away.
func (p *Prober) state(key uint64, h *holding) where.State {
	m, l := p.memory, p.layout
	if !p.isGo() {
		return where.Open
	}
	switch p.points[h.point].kind {
	case persistConn:
		switch {
		// It has closed without closing the socket, and may be forgotten since.
		case m.word(key+uint64(l.connOf)+dataWord) != h.words[1], m.word(key+uint64(l.closed)) != 0:
			return where.TakenOver
		case m.word(key+uint64(l.idleAt)+monotonic) != h.words[2]:
			return where.Idle
		case m.word(key+uint64(l.expected)) != 0:
			return where.Awaiting
		case h.netFD != 0 && m.word(h.netFD)&readLocked != 0:
			return where.Reading // readLoop does not read until the body is finished
		}
		return where.BodyOpen
	case databaseConn:
		if m.flag(key + uint64(l.inUse)) {
			return where.InUse
		}
		return where.Idle
	case stream:
		switch {
		case !p.isOpen(key, h):
			return where.Idle
		case m.word(key+pipeWaiter) != 0:
			return where.Reading
		}
		return where.BodyOpen
	case pgxConn:
		if m.word(key) == h.words[0] { // Release sets it to nil
			return where.InUse
		}
		return where.Idle
	case multiplexed: // without a stream that is open
		return where.Idle
	case hijacked:
		return where.TakenOver
	default: // nothing tells more
		return where.Open
	}
}

// waits is what a request waits for; "" if it has got its connection, or has ended.
func (p *Prober) waits(key uint64, h *holding) where.State {
	m := p.memory
	switch {
	// It may be forgotten since, and its memory used again.
	case m.word(key+targetAddr) != h.words[0], m.word(key+keyAddr) != h.words[1]:
		return ""
	case m.word(key+delivered) != 0, p.layout.failed != 0 && m.word(key+uint64(p.layout.failed)) != 0:
		return ""
	}
	if dial := p.objects[key+1]; dial != nil && dial.at >= h.at {
		return where.Dialling
	}
	return where.Queued
}

// noteReads notes whether the body of an object's response was read since the last time, or
// a goroutine waits to read it. What was read before the first time is not known.
func (p *Prober) noteReads(key uint64, h *holding, state where.State, now uint64) {
	m := p.memory
	var progress [2]uint64
	switch {
	case state != where.BodyOpen:
		h.quiet = 0
		return
	case p.points[h.point].kind == stream:
		buffer := m.word(key + pipeBuffer)
		progress = [2]uint64{m.word(m.word(buffer + chunks)), m.word(buffer + chunkRead)}
	case p.points[h.point].kind == persistConn:
		progress = [2]uint64{m.word(key + uint64(p.layout.readLimit)), m.word(m.word(key+uint64(p.layout.br)) + bufferRead)}
	}
	if h.quiet == 0 || h.quiet < h.at || progress != h.progress {
		h.quiet, h.progress = now, progress
	}
}

// isOpen reports whether a stream is one of its connection's open ones. A stream that has
// ended may be forgotten since, and its memory used again.
func (p *Prober) isOpen(key uint64, h *holding) bool {
	const closedOfChannel = 28
	m, conn := p.memory, h.words[0]
	done := m.word(key + uint64(p.layout.done))
	if m.word(key) != conn || done == 0 {
		return false
	}
	if strings.HasPrefix(p.points[h.point].function, "net/http") && m.word(m.word(conn+uint64(p.layout.streams))) == 0 {
		return false // the map of open streams begins with how many there are
	}
	return uint32(m.word(done+closedOfChannel)) == 0
}
