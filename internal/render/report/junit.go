package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// Check is one thing that running processes were held to.
type Check struct {
	Name string `json:"name"`
	Met  bool   `json:"met"`
	Got  string `json:"got"`
	// Details are lines that name what is in the way.
	Details []string `json:"details,omitempty"`
}

// junit is the form that CI systems read: the JUnit XML of Apache Ant, as
// written down in github.com/testmoapp/junitxml.
type junit struct {
	XMLName xml.Name `xml:"testsuites"`
	Suite   junitSuite
}

type junitSuite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Cases    []junitCase
}

type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Error   *junitFailure `xml:"error,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the checks of a subject as a JUnit file. failed is what
// kept them from being made to their end; nil if nothing did.
func WriteJUnit(w io.Writer, subject string, checks []Check, took time.Duration, failed error) error {
	seconds := fmt.Sprintf("%.3f", took.Seconds())
	suite := junitSuite{Name: "sockwatch check", Time: seconds}
	add := func(c junitCase) {
		c.Class, c.Time = "sockwatch."+subject, seconds
		suite.Cases = append(suite.Cases, c)
		suite.Tests++
	}
	for _, c := range checks {
		test := junitCase{Name: c.Name}
		if !c.Met {
			suite.Failures++
			test.Failure = &junitFailure{Message: "got " + c.Got, Text: joinLines(c.Details)}
		}
		add(test)
	}
	if failed != nil {
		suite.Errors++
		add(junitCase{Name: "watched to the end", Error: &junitFailure{Message: failed.Error()}})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	if err := out.Encode(junit{Suite: suite}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func joinLines(lines []string) string {
	text := ""
	for _, l := range lines {
		text += l + "\n"
	}
	return text
}
