// Package profiles is the atlas: measured profiles of clients, servers and proxies.
// scripts/atlas measures them; nothing in them is written by hand but what a program is
// and how it is started.
package profiles

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"socketlab/internal/profile"
)

//go:embed *.yaml
var files embed.FS

// read reads all once. A file that cannot be read is an error in the program.
var read = sync.OnceValue(func() map[string]*profile.Profile {
	all := map[string]*profile.Profile{}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		p, err := profile.Parse("profiles/"+name, text)
		if err != nil {
			panic(err)
		}
		if p.ID+".yaml" != name {
			panic(fmt.Sprintf("profiles/%s has the id %q", name, p.ID))
		}
		all[p.ID] = p
	}
	return all
})

// All are the profiles of these kinds, by ecosystem and name; of all kinds without any.
func All(kinds ...profile.Kind) []*profile.Profile {
	var list []*profile.Profile
	for _, p := range read() {
		if len(kinds) == 0 || slices.Contains(kinds, p.Kind) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *profile.Profile) int {
		return strings.Compare(a.Ecosystem+"\x00"+a.ID, b.Ecosystem+"\x00"+b.ID)
	})
	return list
}

// Find finds a profile by its ID; nil if there is none.
func Find(id string) *profile.Profile { return read()[id] }
