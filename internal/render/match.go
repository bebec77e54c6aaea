package render

import (
	"fmt"
	"math"
	"time"

	"socketlab/internal/profile"
	"socketlab/internal/words"
)

// matchSchema names the form of a match in JSON. Names are only ever added.
const matchSchema = "sockwatch.match/v1"

// Match is how programs get along, hop by hop: a client and a server, or with a proxy
// between them two hops.
//
// played are what the hops showed, in their order; the last ones may not have been played.
func Match(hops []*profile.Match, played []*profile.Played) *Document {
	d := &Document{
		Title: "Who closes first",
		Records: [][]string{{
			"client", "server", "client_idle", "server_idle", "closes_first", "time_wait", "window_from_ms", "window_to_ms",
			"meets_per_hour", "get", "post", "get_errors_per_hour", "post_errors_per_hour",
		}},
	}
	d.Blocks = []Block{Part{d.Title}}
	var list []Object
	for i, m := range hops {
		perHour := m.Traffic.PerSecond * 3600
		client, server := words.Printable(m.Client.Name), words.Printable(m.Server.Name)
		items := []Item{
			{"client", client + ": " + idleText(m.ClientIdle, m.UsedFor)},
			{"server", server + ": " + serverText(m)},
		}
		if m.Hint != "" {
			items = append(items, Item{"hint", m.Hint})
		}
		items = append(items, Item{"closes first", closerText(m)}, Item{"TIME_WAIT", timeWaitText(m)})
		items = append(items, windowItems(m)...)
		d.Blocks = append(d.Blocks, Heading{Level: 3, Text: client + " -> " + server}, List{Items: items})
		if len(m.Fixes) > 0 {
			var fixes []Item
			for j, f := range m.Fixes {
				name := "fix"
				if j > 0 {
					name = "or"
				}
				fixes = append(fixes, Item{name, words.Printable(f)})
			}
			d.Blocks = append(d.Blocks, List{Items: fixes})
		}
		if i < len(played) {
			d.Blocks = append(d.Blocks, playedBlocks(m, played[i])...)
		}
		o := Object{
			{"client", m.Client.ID},
			{"client_name", m.Client.Name},
			{"server", m.Server.ID},
			{"server_name", m.Server.Name},
			{"client_idle", m.ClientIdle.String()},
			{"client_uses_for", m.UsedFor.String()},
			{"server_idle", m.ServerIdle.String()},
			{"server_idle_shortest", m.ServerFirst.String()},
			{"requests_per_second", m.Traffic.PerSecond},
			{"connections", m.Traffic.Connections},
			{"rtt_ms", millis(m.Traffic.RTT)},
			{"closes_first", m.First},
			{"time_wait", m.TimeWait},
		}
		o.add("hint", m.Hint, m.Hint == "")
		if m.Harmful() {
			o = append(o, Member{"window", Object{{"from_ms", millis(m.From)}, {"to_ms", millis(m.To)}}}, Member{"meets_per_hour", m.Meets * perHour})
		}
		for _, method := range []struct {
			name string
			of   profile.Outcome
		}{{"get", m.Get}, {"post", m.Post}} {
			name, out, part := method.name, method.of, Object{}
			part.add("meeting", out.Meeting, out.Meeting == "")
			part.add("later", out.Later, out.Later == "")
			part.add("errors_per_hour", out.Errors*perHour, math.IsNaN(out.Errors))
			o = append(o, Member{name, part})
		}
		o.add("fixes", m.Fixes, len(m.Fixes) == 0)
		if i < len(played) {
			o = append(o, Member{"played", playedData(m, played[i])})
		}
		list = append(list, o)
		record := func(x float64) string {
			if math.IsNaN(x) {
				return ""
			}
			return number(x)
		}
		d.Records = append(d.Records, []string{
			m.Client.Name, m.Server.Name, m.ClientIdle.String(), m.ServerIdle.String(), string(m.First), string(m.TimeWait),
			number(millis(m.From)), number(millis(m.To)), number(m.Meets * perHour), m.Get.Meeting, m.Post.Meeting,
			record(m.Get.Errors * perHour), record(m.Post.Errors * perHour),
		})
	}
	d.Data = Object{{"schema", matchSchema}, {"hops", list}}
	return d
}

func idleText(closes, used profile.Value) string {
	switch {
	case closes.Unit == "":
		return "its idle time is not known"
	case closes.Bound == profile.Never:
		return "never closes an idle connection"
	case closes.Bound == profile.Over:
		return "keeps an idle connection for " + closes.String() + " (as long as was waited)"
	case closes.Time == 0:
		return "closes each connection after its answer"
	case used != closes:
		return fmt.Sprintf("closes an idle connection after %s, and uses none that was idle for %s", closes, used)
	}
	return "closes an idle connection after " + closes.String()
}

func serverText(m *profile.Match) string {
	text := idleText(m.ServerIdle, m.ServerIdle)
	if m.ServerFirst != m.ServerIdle && m.ServerFirst.Bound == profile.Exact {
		text += " at most, " + m.ServerFirst.String() + " at least"
	}
	return text
}

func closerText(m *profile.Match) string {
	switch m.First {
	case profile.ClientCloses, profile.ServerCloses:
		return "the " + string(m.First)
	case profile.EachAnswer:
		return "the " + string(m.First)
	case profile.Either:
		return "either: their times are too close"
	case profile.Neither:
		return "neither, within the time that was waited: the connection stays open"
	default: // profile.Unknown
	}
	return "unknown: the one was not waited for as long as the other takes"
}

func timeWaitText(m *profile.Match) string {
	switch m.TimeWait {
	case profile.ClientCloses, profile.ServerCloses:
		return "at the " + string(m.TimeWait) + ", 60 s for each connection that it closes"
	case profile.Neither, profile.Unknown:
		return "n/a"
	default: // each answer, or either of them
	}
	return "at the end that closed"
}

// windowItems say when requests fail, how often, and what their callers see.
func windowItems(m *profile.Match) []Item {
	if !m.Harmful() {
		switch m.First {
		case profile.Unknown:
			return nil
		case profile.ClientCloses:
			return []Item{{"window", "none: the client uses no connection that the server is about to close"}}
		case profile.Either:
			return []Item{{"window", "not by these times, but they are too close to rely on it"}}
		default: // the server, or neither, without harm
		}
		return []Item{{"window", "none"}}
	}
	rate := fmt.Sprintf("at %s requests/s on %s", digits(m.Traffic.PerSecond, 3), words.Plural(max(1, m.Traffic.Connections), "connection"))
	digits := 2
	if m.Traffic.RTT < 10*time.Millisecond {
		digits = 4
	}
	return []Item{
		{"window", fmt.Sprintf("a request on a connection that was idle for %.[1]*[2]f to %.[1]*[3]f s can meet its close (round trip %[4]s)",
			digits, m.From.Seconds(), m.To.Seconds(), m.Traffic.RTT)},
		{"", fmt.Sprintf("%s that come at random: %s, 1 of %s", rate, perTime(m.Meets, m.Traffic), oneOf(m.Meets))},
		{"GET", outcomeText(m, m.Get)},
		{"POST", outcomeText(m, m.Post)},
	}
}

// perTime is a share of the requests as a number in a unit of time that has some.
func perTime(share float64, t profile.Traffic) string {
	perHour := share * t.PerSecond * 3600
	if perHour == 0 {
		return "none"
	}
	unit, name := unitOf(perHour)
	return digits(perHour*unit, 3) + " " + name
}

// unitOf is the unit of time for a number by the hour, and what makes the one the other.
func unitOf(perHour float64) (factor float64, name string) {
	switch {
	case perHour < 0.1:
		return 24, "a day"
	case perHour > 3600:
		return 1.0 / 3600, "a second"
	}
	return 1, "an hour"
}

// sharePerTime is a measured share, with its interval in the same unit.
func sharePerTime(s profile.Share, t profile.Traffic) string {
	if s.Value == 0 {
		return "none"
	}
	unit, _ := unitOf(s.Value * t.PerSecond * 3600)
	unit *= t.PerSecond * 3600
	return fmt.Sprintf("%s (%s to %s)", perTime(s.Value, t), digits(s.Low*unit, 3), digits(s.High*unit, 3))
}

func oneOf(share float64) string {
	if share <= 0 {
		return "very many"
	}
	return digits(1/share, 3)
}

// outcomeText says what the caller sees.
func outcomeText(m *profile.Match, o profile.Outcome) string {
	text := "meeting it: " + wordMeans(o.Meeting)
	if answered, known := profile.Answered(o.Later); m.Late > 0 && (!known || !answered) {
		text += "; later, on a connection that is closed already: " + wordMeans(o.Later)
	}
	if math.IsNaN(o.Errors) {
		return text
	}
	if o.Errors == 0 {
		return text + "; no errors"
	}
	return text + "; errors: " + perTime(o.Errors, m.Traffic)
}

func wordMeans(word string) string {
	switch word {
	case "":
		return "not measured"
	case "new_connection":
		return "goes out again on a new connection, and is answered"
	case "sent_twice", "repeated":
		return "is sent again, and is answered"
	case "error":
		return "the caller gets an error"
	case "error_after_repeats":
		return "is sent again, and the caller gets an error"
	case "closed":
		return "the caller's connection is closed without a status"
	}
	return "the caller gets " + word
}

// playedBlocks put what was measured beside what was predicted.
func playedBlocks(m *profile.Match, p *profile.Played) []Block {
	t := Table{Name: "prediction and measurement", Columns: []Column{
		{Title: "played"}, {Title: "predicted"}, {Title: "measured"},
	}}
	g := Group{Rows: []Row{
		Words("closes first", string(m.First), string(p.First)),
		Words("meet a close", perTime(m.Meets, m.Traffic), sharePerTime(p.Meets, m.Traffic)),
	}}
	for _, method := range []struct {
		name      string
		predicted profile.Outcome
		played    profile.PlayedMethod
	}{{"GET", m.Get, p.Get}, {"POST", m.Post, p.Post}} {
		g.Rows = append(g.Rows,
			Words(method.name+": callers see", seenWord(method.predicted.Meeting, m.Meets), fmt.Sprintf("%d of %d errors", method.played.MetFailed, method.played.Met)),
		)
		predicted := "not known"
		if !math.IsNaN(method.predicted.Errors) {
			predicted = perTime(method.predicted.Errors, m.Traffic)
		}
		g.Rows = append(g.Rows, Words(method.name+": errors", predicted, sharePerTime(method.played.Errors, m.Traffic)))
	}
	t.Groups = []Group{g}
	var notes []Item
	for _, why := range p.Why {
		notes = append(notes, Item{"played", words.Printable(why)})
	}
	notes = append(notes, Item{"pauses", fmt.Sprintf("%d before a GET and %d before a POST, from %.2f to %.2f s; each counts for as many requests as have a pause like it", len(p.Get.Trials), len(p.Post.Trials), p.From.Seconds(), p.To.Seconds())})
	if m.Busy(p) {
		notes = append(notes, Item{"busy", fmt.Sprintf("one of ten pauses was %s longer than planned, or more: this machine is too busy for a round trip of %s", p.Lateness.Round(time.Millisecond), m.Traffic.RTT)})
	}
	wrong, undecided := m.Disagreements(p)
	for _, w := range wrong {
		notes = append(notes, Item{"WRONG", w})
	}
	for _, u := range undecided {
		notes = append(notes, Item{"not decided", u})
	}
	if len(wrong)+len(undecided) == 0 {
		notes = append(notes, Item{"result", fmt.Sprintf("as predicted: rates within a factor of %g", profile.WithinFactor)})
	}
	return []Block{t, List{Items: notes}}
}

func seenWord(word string, share float64) string {
	if share == 0 {
		return "none meets it"
	}
	switch answered, known := profile.Answered(word); {
	case !known:
		return "not known"
	case answered:
		return "answers"
	}
	return "errors"
}

func playedData(m *profile.Match, p *profile.Played) Object {
	perHour := m.Traffic.PerSecond * 3600
	o := Object{{"closes_first", p.First}, {"trials", len(p.Get.Trials) + len(p.Post.Trials)}, {"own_client", p.OwnClient}, {"own_server", p.OwnServer}}
	o.add("why", p.Why, len(p.Why) == 0)
	o = append(o, Member{"meets_per_hour", p.Meets.Value * perHour}, Member{"meets_per_hour_low", p.Meets.Low * perHour}, Member{"meets_per_hour_high", p.Meets.High * perHour})
	if p.ServerLast > 0 {
		o = append(o, Member{"server_closed_after", Object{{"from_ms", millis(p.ServerFirst)}, {"to_ms", millis(p.ServerLast)}}})
	}
	for _, method := range []struct {
		name string
		of   profile.PlayedMethod
	}{{"get", p.Get}, {"post", p.Post}} {
		o = append(o, Member{method.name, Object{
			{"met", method.of.Met},
			{"met_failed", method.of.MetFailed},
			{"later", method.of.Later},
			{"later_failed", method.of.LaterFailed},
			{"trials", len(method.of.Trials)},
			{"meets_per_hour", p.Meets.Value * perHour}, // of both methods
			{"errors_per_hour", method.of.Errors.Value * perHour},
			{"errors_per_hour_low", method.of.Errors.Low * perHour},
			{"errors_per_hour_high", method.of.Errors.High * perHour},
		}})
	}
	wrong, undecided := m.Disagreements(p)
	o = append(o, Member{"lateness_ms", millis(p.Lateness)}, Member{"as_predicted", len(wrong)+len(undecided) == 0})
	o.add("undecided", undecided, len(undecided) == 0)
	o.add("wrong", wrong, len(wrong) == 0)
	return o
}
