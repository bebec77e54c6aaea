package profiles_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/fixes"
	"socketlab/internal/profile"
	"socketlab/profiles"
)

var update = flag.Bool("update", false, "write what is generated from the atlas and the questions")

const remake = "run: go test ./profiles -run Generated -update"

func TestAtlasIsWhole(t *testing.T) {
	t.Parallel()
	for _, p := range profiles.All() {
		require.NotEmpty(t, p.Name, p.ID)
		require.NotEmpty(t, p.Ecosystem, p.ID)
		require.NotEmpty(t, p.Command, p.ID)
		require.FileExists(t, filepath.Join(p.Adapter, "version"), p.ID)
		if len(p.Values) == 0 {
			continue // not measured yet: scripts/atlas ID does
		}
		require.NotEmpty(t, p.Version, p.ID)
		require.NotEmpty(t, p.Measured, p.ID)
	}
}

func TestAtlasHasItsEcosystems(t *testing.T) {
	t.Parallel()
	for kind, least := range map[profile.Kind]int{profile.Client: 40, profile.Server: 30, profile.Proxy: 5} {
		all := profiles.All(kind)
		require.GreaterOrEqual(t, len(all), least, kind)
		ecosystems := map[string]bool{}
		for _, p := range all {
			ecosystems[p.Ecosystem] = true
		}
		if kind != profile.Proxy {
			require.GreaterOrEqual(t, len(ecosystems), 6, "%s: %v", kind, ecosystems)
		}
	}
}

func TestAtlasPageIsGeneratedFromTheProfiles(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# The atlas: how clients, servers and proxies treat connections

Measured by ` + "`sockwatch profile`" + ` ([profiles.md](profiles.md)); made from ` + "`profiles/*.yaml`" + `, which have the
date and the system of each. A dash was not measured. ` + "`scripts/atlas`" + ` measures them anew.
`)
	for _, kind := range profile.Kinds() {
		all := profiles.All(kind)
		fmt.Fprintf(&page, "\n## %d %s\n", len(all), map[profile.Kind]string{profile.Client: "clients", profile.Server: "servers", profile.Proxy: "proxies"}[kind])
		var group []profile.Question
		write := func() {
			if len(group) > 0 {
				writeTable(&page, group, all)
			}
			group = nil
		}
		towards := ""
		for _, q := range profile.Questions(kind) {
			if q.Asks != "" {
				write()
			}
			if end := q.End(); kind == profile.Proxy && end != towards {
				towards = end
				fmt.Fprintf(&page, "\n**%s%s:**\n", strings.ToUpper(end[:1]), end[1:])
			}
			group = append(group, q)
		}
		write()
	}
	generated(t, "../docs/atlas.md", page.String())
}

// writeTable writes the answers to the questions of a group. A program without any is
// left out, and so is a table without any.
func writeTable(page *strings.Builder, group []profile.Question, all []*profile.Profile) {
	var rows strings.Builder
	for _, p := range all {
		row, any := "", false
		for _, q := range group {
			text := "–"
			if v, ok := p.Value(q.ID); ok {
				text, any = strings.ReplaceAll(v.String(), "_", " "), true
			}
			row += " " + text + " |"
		}
		if any {
			fmt.Fprintf(&rows, "| `%s`: %s | %s |%s\n", p.ID, p.Name, p.Version, row)
		}
	}
	if rows.Len() == 0 {
		return
	}
	fmt.Fprintf(page, "\n### %s\n\n| program | version |", group[0].Asks)
	for _, q := range group {
		fmt.Fprintf(page, " %s |", q.Title)
	}
	page.WriteString("\n|" + strings.Repeat(" --- |", len(group)+2) + "\n" + rows.String())
}

func TestTableOfTheQuestionsIsGenerated(t *testing.T) {
	const file, begin, end = "../docs/profiles.md", "<!-- generated from the questions -->\n", "<!-- end of what is generated -->\n"
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(page), begin)
	require.True(t, found, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, end)
	var table strings.Builder
	for _, kind := range profile.Kinds() {
		fmt.Fprintf(&table, "\n### Of a %s\n\n| question | asks | value | measured |\n| --- | --- | --- | --- |\n", kind)
		for _, q := range profile.Questions(kind) {
			value := string(q.Unit)
			if len(q.Choices) > 0 {
				var choices []string
				for _, m := range q.Choices {
					choices = append(choices, fmt.Sprintf("`%s`: %s", m.Word, m.Means))
				}
				value = strings.Join(choices, "; ")
			}
			fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", q.ID, q.Title, value, q.How)
		}
	}
	generated(t, file, before+begin+table.String()+"\n"+end+after)
}

func generated(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(got), remake)
}

// What fixes say of a server's idle time is what was measured of it.
func TestFixesSayWhatWasMeasured(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`[\d.]+`)
	for _, c := range fixes.Closing() {
		p := profiles.Find(c.Profile)
		require.NotNil(t, p, c.Profile)
		require.Equal(t, p.IdleSetting, c.Setting, c.Profile)
		var seconds []float64
		for _, n := range number.FindAllString(c.After, -1) {
			s, err := strconv.ParseFloat(n, 64)
			require.NoError(t, err)
			seconds = append(seconds, s)
		}
		least, most := seconds[0], seconds[len(seconds)-1]
		if strings.Contains(c.After, "+") {
			least += most
			most = least
		}
		require.GreaterOrEqual(t, p.Values["idle_timeout_shortest"].Time.Seconds(), least*0.95-0.1, c.Profile)
		require.LessOrEqual(t, p.Values["idle_timeout"].Time.Seconds(), most*1.05+0.15, c.Profile)
	}
}
