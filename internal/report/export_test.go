package report

import (
	"socketlab/internal/lab"
	"socketlab/internal/view"
)

// Telling is the picture of a run at the end that shows what its headline says.
func Telling(run *lab.Run) view.Picture {
	client, server := view.Ends(run, true)
	_, first := headline(run, &client, &server)
	return *first
}
