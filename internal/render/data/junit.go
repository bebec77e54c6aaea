package data

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"socketlab/internal/render"
)

var _ = render.Register(render.Format{
	Name: "junit", Rank: 7, Extensions: []string{".xml"}, Needs: render.HasChecks, Render: writeJUnit,
})

// The form that CI systems read: the JUnit XML of Apache Ant, as written down in
// github.com/testmoapp/junitxml.
type (
	testsuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []*testsuite
	}
	testsuite struct {
		XMLName  xml.Name `xml:"testsuite"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Time     string   `xml:"time,attr"`
		Cases    []testcase
	}
	testcase struct {
		XMLName xml.Name `xml:"testcase"`
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *problem `xml:"failure,omitempty"`
		Error   *problem `xml:"error,omitempty"`
		Skipped *problem `xml:"skipped,omitempty"`
	}
	problem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a suite for each group of checks.
func writeJUnit(w io.Writer, d *render.Document, _ render.Options) error {
	var all testsuites
	of := map[string]*testsuite{}
	for _, c := range d.Checks {
		seconds := fmt.Sprintf("%.3f", c.Seconds)
		s := of[c.Group]
		if s == nil {
			s = &testsuite{Name: c.Group, Time: seconds}
			of[c.Group] = s
			all.Suites = append(all.Suites, s)
		}
		test := testcase{Class: "sockwatch." + c.Group, Name: c.Text, Time: seconds}
		switch {
		case c.Error != "":
			s.Errors++
			test.Error = &problem{Message: c.Error}
		case c.Skipped != "":
			s.Skipped++
			test.Skipped = &problem{Message: c.Skipped}
		case !c.Met:
			s.Failures++
			test.Failure = &problem{Message: "got " + c.Got, Text: strings.Join(append(c.Details, ""), "\n")}
		}
		s.Tests++
		s.Cases = append(s.Cases, test)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	if err := out.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
