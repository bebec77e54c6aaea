package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// cast is a recording of a terminal, in asciicast v2.
type cast struct {
	text   string // the file
	events []event
}

// event is one thing shown (kind o) or typed (kind i), at seconds after the
// recording's begin.
type event struct {
	at         float64
	kind, data string
}

func (e *event) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&e.at, &e.kind, &e.data})
}

func readCast(file string) (*cast, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &cast{text: string(data)}
	for i, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		if i == 0 { // the header
			continue
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", filepath.Base(file), i+1, err)
		}
		c.events = append(c.events, e)
	}
	if len(c.events) == 0 {
		return nil, fmt.Errorf("%s holds nothing", filepath.Base(file))
	}
	return c, nil
}

// gone is when the view left the alternate screen.
func (c *cast) gone() (float64, error) {
	for _, e := range slices.Backward(c.events) {
		if e.kind == "o" && strings.Contains(e.data, "\x1b[?1049l") {
			return e.at, nil
		}
	}
	return 0, errors.New("the recording has no view that ends")
}

// begin is when the command was entered: it can be read, and nothing has come.
func (c *cast) begin() (float64, error) {
	for _, e := range c.events {
		if e.kind == "i" && e.data == "\r" {
			return e.at, nil
		}
	}
	return 0, errors.New("in the recording no command is entered")
}

// key is the key that was pressed in the time before at, by its name.
func (c *cast) key(at float64, within time.Duration) string {
	names := map[string]string{"\t": "tab", "\x1b": "esc"}
	for _, e := range slices.Backward(c.events) {
		if e.kind != "i" || e.at > at || len(e.data) > 1 || e.data == "\r" {
			continue
		}
		if e.at <= at-within.Seconds() {
			break
		}
		if name, ok := names[e.data]; ok {
			return name
		}
		return e.data
	}
	return ""
}

// end is when the last was shown.
func (c *cast) end() float64 { return c.events[len(c.events)-1].at }

// use is what a page with the player is for.
type use string

const (
	playing  use = "playing"  // by a reader, with controls
	shooting use = "shooting" // frame by frame, in exact sizes
)

//go:embed cast.tmpl
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// writePage writes a page that plays the recording without asking anybody for
// anything, since a page of a file may not fetch.
func (c *cast) writePage(file string, u use) error {
	var b bytes.Buffer
	if err := page.Execute(&b, map[string]any{"Cast": c.text, "Shooting": u == shooting}); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
