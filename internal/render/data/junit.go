package data

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"socketlab/internal/render"
	"socketlab/internal/render/markup"
)

var _ = render.Register(render.Format{
	Name: "junit", Rank: 7, Extensions: []string{".xml"}, Needs: render.HasChecks, Render: writeJUnit,
})

// writeJUnit writes a suite for each group of checks, in the form that CI systems
// read: the JUnit XML of Apache Ant, as written down in github.com/testmoapp/junitxml.
func writeJUnit(w io.Writer, d *render.Document, _ render.Options) error {
	var groups []string
	of := map[string][]render.Check{}
	for _, c := range d.Checks {
		if of[c.Group] == nil {
			groups = append(groups, c.Group)
		}
		of[c.Group] = append(of[c.Group], c)
	}
	m := &markup.Writer{}
	m.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	m.Open("testsuites")
	for _, group := range groups {
		checks := of[group]
		count := func(label string) string {
			return strconv.Itoa(len(slices.DeleteFunc(slices.Clone(checks), func(c render.Check) bool { return c.Label() != label })))
		}
		m.Line()
		m.Open("testsuite", "name", group, "tests", strconv.Itoa(len(checks)), "failures", count("NOT MET"), "errors", count("ERROR"),
			"skipped", count("skipped"), "time", seconds(checks[0]))
		for _, c := range checks {
			m.Line()
			m.Open("testcase", "classname", "sockwatch."+group, "name", c.Text, "time", seconds(c))
			switch c.Label() {
			case "ERROR":
				m.Element("error", "", "message", c.Error)
			case "skipped":
				m.Element("skipped", "", "message", c.Skipped)
			case "NOT MET":
				m.Element("failure", strings.Join(append(slices.Clone(c.Details), ""), "\n"), "message", "got "+c.Got)
			}
			m.Close()
		}
		m.Line()
		m.Close()
	}
	m.Line()
	m.Close()
	m.Line()
	_, err := io.WriteString(w, m.String())
	return err
}

func seconds(c render.Check) string { return strconv.FormatFloat(c.Seconds, 'f', 3, 64) }
