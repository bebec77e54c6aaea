package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"socketlab/internal/cli/program"
	"socketlab/internal/errorcatalog"
	"socketlab/internal/scenario"
	"socketlab/internal/symptoms"
	"socketlab/scenarios"
)

// places are the texts of a scenario that a word is looked for in, the one that
// says most about it first. The last is the lesson, which mentions much in
// passing.
func places(s scenario.Script) []string {
	var seen, expected, errors strings.Builder
	for _, symptom := range scenario.Symptoms() {
		if slices.Contains(s.Symptoms, symptom.Name) {
			fmt.Fprintln(&seen, symptom.Name, symptom.Sees)
		}
	}
	for _, side := range scenario.Sides() {
		for _, e := range s.Expect.Of(side) {
			fmt.Fprintln(&expected, e.Metric, e.Other)
		}
	}
	for _, e := range errorcatalog.All() {
		if slices.Contains(e.Scenarios, s.ID) {
			fmt.Fprintln(&errors, e.Name, strings.Join(e.Aliases, "\n"))
		}
	}
	kind, fix := "comparison", ""
	switch {
	case s.Fault != nil:
		kind, fix = causeOf(s.Fault.Kind), s.Fault.Fix
	case s.Sort != scenario.Pair:
		kind = s.Sort
	}
	texts := []string{s.ID, s.Title, seen.String(), kind, fix, expected.String(), errors.String(), lessonText(s.ID)}
	for i, text := range texts {
		texts[i] = plain(text)
	}
	return texts
}

// sees is the place of what an engineer sees. Scripts that have a word up to there are in
// the catalogue's order: a word in a title makes a rare case no better a match.
const sees = 2

// lessonText is a lesson without its headings, which are those of every lesson.
func lessonText(id string) string {
	var text strings.Builder
	for line := range strings.Lines(scenarios.Lesson(id)) {
		if !strings.HasPrefix(line, "#") {
			text.WriteString(line)
		}
	}
	return text.String()
}

// plain is text in small letters, with one space before each word, so that a
// word is found by its beginning: CLOSE_WAIT is " close wait".
func plain(text string) string {
	var out strings.Builder
	for _, word := range wordsOf(text) {
		out.WriteString(" " + word)
	}
	return out.String()
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// searchWords are the words of a command line, each as plain has it; one such as
// close_wait stays together.
func searchWords(args []string) []string {
	var words []string
	for _, arg := range strings.Fields(strings.Join(args, " ")) {
		if word := plain(arg); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// search finds the scripts that have the words together, as they were typed; or
// where there is none those that have them all somewhere.
func search(all []scenario.Script, words []string) []group {
	if len(words) == 0 { // only signs were typed
		return nil
	}
	if together := found(all, []string{strings.Join(words, "")}); len(together) > 0 {
		return together
	}
	return found(all, words)
}

// behind groups the scripts whose fault may be behind a text, such as a line of a log,
// by that fault.
func behind(all []scenario.Script, text string) []group {
	var groups []group
	for _, kind := range symptoms.Of(text) {
		scripts := only(all, func(s scenario.Script) bool { return s.Fault != nil && s.Fault.Kind == kind })
		if len(scripts) > 0 {
			groups = append(groups, group{causeOf(kind), scripts})
		}
	}
	return groups
}

// found groups the scripts that have all words, the best match first, and those
// apart of which only the lesson has them.
func found(all []scenario.Script, words []string) []group {
	var at [][]scenario.Script // by place
	for _, s := range all {
		texts := places(s)
		at = slices.Grow(at, len(texts))[:len(texts)]
		if place, ok := placeOf(texts, words); ok {
			at[max(place, sees)] = append(at[max(place, sees)], s)
		}
	}
	lesson := len(at) - 1
	groups := []group{{scripts: playableFirst(slices.Concat(at[:lesson]...))}, {"only the lesson has it", at[lesson]}}
	return slices.DeleteFunc(groups, func(g group) bool { return len(g.scripts) == 0 })
}

// playableFirst moves those that need a network namespace, which few can play, behind the
// others.
func playableFirst(all []scenario.Script) []scenario.Script {
	slices.SortStableFunc(all, func(a, b scenario.Script) int {
		return cmp.Compare(a.Requires, b.Requires) // "" is first
	})
	return all
}

// placeOf is how far one has to read in the texts to have met all words.
func placeOf(texts, words []string) (int, bool) {
	furthest := 0
	for _, word := range words {
		at := slices.IndexFunc(texts, func(text string) bool { return strings.Contains(text, word) })
		if at < 0 {
			return 0, false
		}
		furthest = max(furthest, at)
	}
	return furthest, true
}

// nothingFound is the error of a search without a match. The command line was
// right, so it is no usage error.
func nothingFound(all []scenario.Script, args []string) error {
	typed := strings.Join(args, " ")
	if len(symptoms.Find(typed)) > 0 {
		return fmt.Errorf("no scenario has %q; sockwatch explain %s says what may be behind it", typed, quoted(typed))
	}
	return fmt.Errorf("no scenario has %q%s; sockwatch list shows them all", typed, closestWord(all, typed))
}

// closestWord is closest among all that could have been found: names, such as
// CLOSE_WAIT, as a whole and word by word. Lessons are left out: they have a
// word for everything.
func closestWord(all []scenario.Script, typed string) string {
	words := map[string]bool{}
	for _, s := range all {
		texts := places(s)
		for _, text := range texts[:len(texts)-1] {
			for _, word := range wordsOf(text) {
				words[word] = len(word) > 2
			}
		}
		for _, side := range scenario.Sides() {
			for _, e := range s.Expect.Of(side) {
				for _, name := range strings.Split(e.Metric, ".") {
					words[strings.ToLower(name)] = true
				}
			}
		}
	}
	var names []string
	for word, use := range words {
		if use {
			names = append(names, word)
		}
	}
	slices.Sort(names) // of two as close, always the same
	return program.Closest(strings.ToLower(typed), names)
}
