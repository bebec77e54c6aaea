package uprobe

import (
	_ "embed"
	"strings"

	"socketlab/internal/callsite"
	"socketlab/internal/where"
)

// standard are the first parts of the paths of Go's standard library.
var standard = func() map[string]bool {
	all := map[string]bool{}
	for _, p := range strings.Fields("archive arena bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique unsafe vendor weak") {
		all[p] = true
	}
	return all
}()

// clients.txt lists packages, with those below them, that make connections for others: a
// line in them says nothing of who asked.
//
//go:embed clients.txt
var clientList string

var clients = strings.Fields(clientList)

// packageOf is the path of a function's package.
func packageOf(function string) string {
	slash := strings.LastIndex(function, "/") + 1
	if cut := strings.IndexByte(function, '['); cut >= 0 && cut < slash { // a type argument
		slash = strings.LastIndex(function[:cut], "/") + 1
	}
	name, _, _ := strings.Cut(function[slash:], ".")
	return strings.ReplaceAll(function[:slash]+name, "%2e", ".")
}

// IsLibrary reports whether a function is of the standard library or of a well-known
// client package.
func IsLibrary(function string) bool {
	path := packageOf(function)
	first, _, _ := strings.Cut(path, "/")
	if standard[first] {
		return true
	}
	for _, p := range clients {
		if rest, ok := strings.CutPrefix(path, p); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// own are the frames that are not of a library, without those that call themselves. Of
// programs that are not Go's no library is known.
func own(frames []callsite.Frame, isGo bool) []where.Site {
	sites := make([]where.Site, len(frames))
	for i, f := range frames {
		sites[i] = where.Site(f)
	}
	library := func(where.Site) bool { return false }
	if isGo {
		library = where.Libraries(sites, IsLibrary)
	}
	var list []where.Site
	for _, s := range sites {
		if !library(s) && (len(list) == 0 || list[len(list)-1].Function != s.Function) {
			list = append(list, s)
		}
	}
	return list
}
