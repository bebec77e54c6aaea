package report

import (
	"socketlab/internal/lab"
	"socketlab/internal/render"
)

// HeadlineOf is the snapshot of a run at the end that shows what its headline says.
func HeadlineOf(run *lab.Run) render.Snapshot {
	client, server := render.Ends(run, true)
	_, first := headline(run, &client, &server)
	return *first
}
