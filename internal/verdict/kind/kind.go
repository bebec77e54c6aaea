// Package kind has the names of the kinds of verdicts, for programs that only name
// them: the rules of internal/verdict, with their texts, are not linked.
package kind

// Kind names what a subject shows.
type Kind string
