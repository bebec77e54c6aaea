package render

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"socketlab/internal/life"
	"socketlab/internal/words"
)

// LifeVariants is the list of the variants as a command's answer.
func LifeVariants(variants []life.Variant) *Document {
	d := &Document{
		Title: "The lives of a connection", Records: [][]string{{"variant", "title"}},
		Data: Object{{"schema", "sockwatch.life.variants/v1"}, {"variants", variants}},
	}
	t := Table{Name: "the variants", Columns: []Column{{Title: "variant"}, {Title: "what happens"}}, Groups: []Group{{}}, Plain: true}
	for _, v := range variants {
		t.Groups[0].Rows = append(t.Groups[0].Rows, Words(v.Name, v.Title))
		d.Records = append(d.Records, []string{v.Name, v.Title})
	}
	d.Blocks = []Block{t}
	return d
}

// Life is a connection's life as a command's answer.
func Life(r *life.Record) *Document {
	d := &Document{Title: "One connection: " + r.Variant, Data: r, Records: lifeRecords(r)}
	segments := 0
	for _, row := range r.Rows {
		if row.Segment != nil {
			segments++
		}
	}
	d.Blocks = []Block{
		Part{d.Title},
		Heading{Level: 2, Text: r.Title},
		Text{Note: true, Text: fmt.Sprintf("127.0.0.1, client's port %d, server's port %d: %s and %s. Each segment was held until both states were read.",
			r.ClientPort, r.ServerPort, words.Plural(segments, "segment"), words.Plural(len(r.Rows)-segments, "other step"))},
		lifeSequence(r),
	}
	d.Blocks = append(d.Blocks, lifeHeld(r)...)
	return d
}

// lifeSequence is the diagram of a record.
func lifeSequence(r *life.Record) Sequence {
	s := Sequence{Left: life.Client, Right: life.Server}
	present := func(e life.End) string {
		if e.State == life.None {
			return ""
		}
		return e.State
	}
	for _, row := range r.Rows {
		step := Step{
			Time: strconv.FormatFloat(row.AtMS, 'f', 3, 64), Left: present(row.Client), Right: present(row.Server),
			Label: lifeLabel(row), Position: Between, Arrow: row.Segment != nil, Text: row.Text,
		}
		switch row.Who {
		case life.Client:
			step.Position = AtLeft
		case life.Server:
			step.Position = AtRight
		}
		if row.Segment != nil {
			step.Lost = row.Segment.Lost
		}
		s.Steps = append(s.Steps, step)
	}
	return s
}

// lifeLabel says what a row is about in a few words.
func lifeLabel(row life.Row) string {
	s := row.Segment
	if s == nil {
		label := row.Call
		switch row.Who {
		case life.Client, life.Server:
		default:
			label = row.Who + ": " + label
		}
		if row.Result != "" && row.Result != "0" {
			label += ": " + row.Result
		}
		return label
	}
	label := fmt.Sprintf("%s seq %d", s.Flags, s.Seq)
	if s.Ack > 0 {
		label += fmt.Sprintf(" ack %d", s.Ack)
	}
	if s.Bytes > 0 {
		label += fmt.Sprintf(" len %d", s.Bytes)
	}
	switch {
	case s.Retransmission:
		label += " again"
	case s.KeepAlive:
		label += " probe"
	}
	return label
}

// lifeHeld are tables of what each end had in each of its states: of what changes
// within one, the most.
func lifeHeld(r *life.Record) []Block {
	blocks := []Block{
		Heading{Level: 3, Text: "what each end holds"},
		Text{Note: true, Text: "fd: whether its program has a descriptor. unread, unacked: bytes, and memory what the kernel used for them; buffers: what it may use. All are the most of the time in the state."},
	}
	for _, end := range []struct {
		name string
		of   func(life.Row) life.End
	}{
		{life.Client, func(row life.Row) life.End { return row.Client }},
		{life.Server, func(row life.Row) life.End { return row.Server }},
	} {
		var states []string
		held := map[string]*heldIn{}
		for _, row := range r.Rows {
			e := end.of(row)
			if e.State == life.None {
				continue
			}
			if held[e.State] == nil {
				states, held[e.State] = append(states, e.State), &heldIn{longest: map[string]float64{}}
			}
			held[e.State].add(e)
		}
		t := Table{Name: "what the " + end.name + " holds", Groups: []Group{{}}, Columns: []Column{
			{Title: end.name},
			{Title: "fd"},
			{Title: "unread", Number: true},
			{Title: "unacked", Number: true},
			{Title: "memory", Number: true},
			{Title: "buffers", Number: true},
			{Title: "timer"},
		}}
		for _, state := range states {
			h := held[state]
			t.Groups[0].Rows = append(t.Groups[0].Rows, Row{Cells: []Cell{
				cell(state), cell(h.descriptor()), count(h.unread), count(h.unacknowledged), count(h.memory), count(h.buffers),
				cell(strings.Join(h.timers(), ", ")),
			}})
		}
		if len(states) > 0 {
			blocks = append(blocks, t)
		}
	}
	return blocks
}

func count(n uint32) Cell {
	text := strconv.FormatUint(uint64(n), 10)
	return Cell{{Text: text, Value: text}}
}

// heldIn is the most that an end held in one state.
type heldIn struct {
	with, without, last                     bool // a descriptor: at some time, not at some time, at last
	unread, unacknowledged, memory, buffers uint32
	longest                                 map[string]float64 // of each timer, in ms
}

func (h *heldIn) add(e life.End) {
	h.last = e.Descriptor != 0
	h.with, h.without = h.with || h.last, h.without || !h.last
	h.unread, h.unacknowledged = max(h.unread, e.Unread), max(h.unacknowledged, e.Unacknowledged)
	h.memory = max(h.memory, e.RecvMemory+e.SendMemory)
	h.buffers = max(h.buffers, e.RecvBuffer+e.SendBuffer)
	if e.Timer != "" {
		h.longest[e.Timer] = max(h.longest[e.Timer], e.ExpiresMS)
	}
}

func (h *heldIn) descriptor() string {
	switch {
	case h.with && h.without && h.last:
		return "later"
	case h.with && h.without: // the program closed it in this state
		return "at first"
	case h.with:
		return "yes"
	}
	return "no"
}

func (h *heldIn) timers() []string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(h.longest)) {
		texts = append(texts, fmt.Sprintf("%s %gs", name, math.Round(h.longest[name]/100)/10))
	}
	return texts
}

// lifeRecords has a line for each row of a record.
func lifeRecords(r *life.Record) [][]string {
	head := []string{
		"variant", "step", "at_ms", "who", "call", "result", "flags", "seq", "ack", "bytes", "lost", "retransmission", "keep_alive", "text",
	}
	for _, end := range []string{life.Client, life.Server} {
		for _, name := range []string{
			"state", "descriptor", "unread_bytes", "unacknowledged_bytes", "recv_memory_bytes", "recv_buffer_bytes",
			"send_memory_bytes", "send_buffer_bytes", "timer", "expires_ms", "unanswered",
		} {
			head = append(head, end+"_"+name)
		}
	}
	lines := [][]string{head}
	for i, row := range r.Rows {
		segment := make([]any, 7)
		if s := row.Segment; s != nil {
			segment = []any{s.Flags, s.Seq, s.Ack, s.Bytes, s.Lost, s.Retransmission, s.KeepAlive}
		}
		values := append([]any{r.Variant, i + 1, row.AtMS, row.Who, row.Call, row.Result}, segment...)
		values = append(values, row.Text)
		for _, e := range []life.End{row.Client, row.Server} {
			values = append(values, e.State, e.Descriptor, e.Unread, e.Unacknowledged,
				e.RecvMemory, e.RecvBuffer, e.SendMemory, e.SendBuffer, e.Timer, e.ExpiresMS, e.Unanswered)
		}
		line := make([]string, len(values))
		for j, v := range values {
			if v != nil { // of a call there is no segment
				line[j] = fmt.Sprint(v)
			}
		}
		lines = append(lines, line)
	}
	return lines
}
