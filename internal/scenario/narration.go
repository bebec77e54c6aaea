package scenario

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// NarrationLine is what is told from a moment on.
type NarrationLine struct {
	// At is the moment, from the start of the load.
	At Duration `yaml:"at,omitempty"`
	// Say is the beginning of a sentence that goes on with what each side holds.
	Say string `yaml:"say"`
	// Go is the versions of Go that it holds for; all if it has none.
	Go GoRange `yaml:"go,omitempty"`
}

// longestSay is what leaves room for the rest of the sentence on a terminal.
const longestSay = 60

// Now is what is told of a moment of the load: the newest part of the narration,
// or what the load does; "" for a script without a load.
func (s Script) Now(at time.Duration) string {
	told := ""
	for _, t := range s.Narration {
		if t.At.D() <= at {
			told = t.Say
		}
	}
	if told != "" || len(s.Load) == 0 {
		return told
	}
	for _, p := range s.Load {
		if at -= p.length(); at < 0 {
			return p.Say()
		}
	}
	return s.Load[len(s.Load)-1].Say()
}

// Say is what the phase sends, in a few words.
func (p Phase) Say() string {
	switch {
	case p.Rate > 0 && p.JitterRequests > 0:
		return p.sayRate() + " and more at random"
	case p.Rate > 0:
		return p.sayRate()
	case p.Burst > 1 && p.Repeat > 1:
		return fmt.Sprintf("Bursts of %d requests", p.Burst)
	case p.Burst > 1:
		return fmt.Sprintf("A burst of %d requests", p.Burst)
	case p.Burst == 1:
		return "A single request"
	default:
		return "No more requests for now"
	}
}

func (p Phase) sayRate() string {
	if p.Rate == 1 {
		return "1 request a second"
	}
	return fmt.Sprintf("%.3g requests a second", p.Rate)
}

func (s Script) checkNarration() *finding {
	for i, t := range s.Narration {
		path := fmt.Sprintf("$.narration[%d]", i)
		switch {
		case strings.TrimSpace(t.Say) == "":
			return found(path, "say is missing: say in a few words what happens")
		case strings.ContainsFunc(t.Say, unicode.IsControl):
			return found(path+".say", "say is not one plain line")
		case utf8.RuneCountInString(t.Say) > longestSay:
			return found(path+".say", "say has %d characters: the limit is %d", utf8.RuneCountInString(t.Say), longestSay)
		case strings.HasSuffix(t.Say, "."):
			return found(path+".say", "say ends with a full stop, but the sentence goes on with what each side holds")
		case t.At.D() >= s.Length():
			return found(path+".at", "at %s is not within the load (%s)", t.At, s.Length())
		case i > 0 && t.At <= s.Narration[i-1].At && (t.Go == "" || t.Go == s.Narration[i-1].Go):
			return found(path+".at", "at %s is not after the one before", t.At)
		}
	}
	return nil
}

// longestSentence is what fits two lines of a pane in a terminal of 80 columns.
const longestSentence = 72

func (s Script) checkSays() *finding {
	for _, says := range []struct{ path, text string }{
		{"$.says.faulty", s.Says.Faulty}, {"$.says.fixed", s.Says.Fixed}, {"$.says.why", s.Says.Why},
	} {
		switch {
		case says.text == "":
		case strings.ContainsFunc(says.text, unicode.IsControl):
			return found(says.path, "it is not one plain line")
		case utf8.RuneCountInString(says.text) > longestSentence:
			return found(says.path, "it has %d characters: the limit is %d", utf8.RuneCountInString(says.text), longestSentence)
		case !strings.HasSuffix(says.text, "."):
			return found(says.path, "it is a sentence: end it with a full stop")
		}
	}
	return nil
}
