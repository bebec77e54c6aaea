package profile

import (
	"fmt"
	"slices"
	"strings"
)

// Question is one thing that is measured of a program.
type Question struct {
	// ID is its name in files.
	ID    string
	Kinds []Kind
	// Title is a line for people, which the value ends: "Closes an idle connection after".
	Title string
	Unit  Unit
	// Choices are the words of a Choice, each with what it means.
	Choices []Meaning
	// Steps says that a Choice may be several of the words, in the order in which they were
	// seen: "served, refused".
	Steps bool
	// How says in a sentence how it is measured.
	How string
	// Asks is the question of the atlas that a table answers, such as "Who closes first?";
	// "" stands in the table of the question before.
	Asks string
}

// Meaning is a word and what it means.
type Meaning struct{ Word, Means string }

// Of reports whether programs of a kind are asked it.
func (q *Question) Of(k Kind) bool { return slices.Contains(q.Kinds, k) }

// Parse reads a value of the question.
func (q *Question) Parse(text string) (Value, error) {
	v, err := q.Unit.parse(text)
	if err != nil || q.Unit != Choice {
		return v, err
	}
	steps := []string{text}
	if q.Steps {
		steps = strings.Split(text, ", ")
	}
	for _, step := range steps {
		if !slices.Contains(q.words(), step) {
			return v, fmt.Errorf("%q is none of %s", step, strings.Join(q.words(), ", "))
		}
	}
	return v, nil
}

func (q *Question) words() []string {
	words := make([]string, len(q.Choices))
	for i, m := range q.Choices {
		words[i] = m.Word
	}
	return words
}

// ValueText says in words what values a question has.
func (q *Question) ValueText() string {
	if q.Unit == Choice {
		return strings.Join(q.words(), ", ")
	}
	return string(q.Unit)
}

// End says which end of a proxy the question is about.
func (q *Question) End() string {
	switch {
	case q.Of(Client):
		return "towards the server behind it, as a client"
	case q.Of(Server):
		return "towards its clients, as a server"
	}
	return "between the two"
}

// Questions are those that programs of a kind are asked, in the order in which they are
// shown.
func Questions(k Kind) []Question {
	var of []Question
	for _, q := range All() {
		if q.Of(k) {
			of = append(of, q)
		}
	}
	return of
}

// All are all questions: those of clients, of servers, and of proxies alone.
func All() []Question { return slices.Concat(clientQuestions, serverQuestions, proxyQuestions) }

// Lookup finds a question by its ID.
func Lookup(id string) (Question, bool) {
	all := All()
	if i := slices.IndexFunc(all, func(q Question) bool { return q.ID == id }); i >= 0 {
		return all[i], true
	}
	return Question{}, false
}
