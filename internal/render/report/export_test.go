package report

import (
	"socketlab/internal/lab"
	"socketlab/internal/render"
)

// Telling is the picture of a run at the end that shows what its headline says.
func Telling(run *lab.Run) render.Picture {
	client, server := render.Ends(run, true)
	_, first := headline(run, &client, &server)
	return *first
}
