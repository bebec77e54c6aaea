// Package qr draws an address as a QR code, for phones: in characters and as SVG.
package qr

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the light margin that readers need, in modules (ISO/IEC 18004, 5.3.8).
const quiet = 4

// Code is a QR code with its margin.
type Code struct {
	code *qr.Code
	// Size is the width and the height, in modules.
	Size int
}

// Of returns the code of a text. It fails above 2953 bytes.
func Of(text string) (*Code, error) {
	code, err := qr.Encode(text, qr.L) // on a screen nothing is dirty or torn
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	return &Code{code: code, Size: code.Size + 2*quiet}, nil
}

func (c *Code) dark(x, y int) bool { return c.code.Black(x-quiet, y-quiet) }

// Black on white, whatever the colours of the terminal are.
const blackOnWhite, reset = "\x1b[38;5;16;48;5;231m", "\x1b[m"

// Lines draws it for a terminal: a character is one module wide and two high.
func (c *Code) Lines() []string {
	var lines []string
	for y := 0; y < c.Size; y += 2 {
		var line strings.Builder
		line.WriteString(blackOnWhite)
		for x := range c.Size {
			line.WriteString([]string{" ", "▄", "▀", "█"}[bit(c.dark(x, y))<<1|bit(c.dark(x, y+1))])
		}
		lines = append(lines, line.String()+reset)
	}
	return lines
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// SVG draws it as a picture of its own.
func (c *Code) SVG() []byte {
	var path strings.Builder
	for y := range c.Size {
		for x := range c.Size {
			if c.dark(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %[1]d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%s"/></svg>`, c.Size, path.String())
}
