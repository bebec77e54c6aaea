package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"socketlab/internal/render/qr"
	"socketlab/internal/render/tui"
)

// sayAddress says where a page is. On a terminal the address can be clicked, and one for
// other machines has a QR code below it, where there is room.
func sayAddress(errs io.Writer, page, url string, beyond bool) {
	shown, width, height := url, 0, 0
	if tui.CanRedraw(errs, os.Getenv("TERM")) {
		shown = ansi.SetHyperlink(url) + url + ansi.ResetHyperlink()
		if f, ok := errs.(interface{ Fd() uintptr }); ok {
			width, height, _ = term.GetSize(int(f.Fd()))
		}
	}
	fmt.Fprintf(errs, "sockwatch: %s is at %s\n", page, shown)
	if !beyond {
		return
	}
	fmt.Fprintln(errs, "sockwatch: other machines can reach it: whoever has this address can look on")
	code, err := qr.Of(url)
	// A code needs its two colours, and lines beside it: the address and what is waited for.
	if err != nil || os.Getenv("NO_COLOR") != "" || width < code.Size || height < (code.Size+1)/2+5 {
		return
	}
	for _, line := range code.Lines() {
		fmt.Fprintln(errs, line)
	}
}
