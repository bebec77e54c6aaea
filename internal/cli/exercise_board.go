package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/exercise"
	"socketlab/internal/regular"
	"socketlab/internal/render"
	"socketlab/internal/render/web"
	"socketlab/internal/words"
)

func exerciseBoardCommand(streams program.Streams) *cobra.Command {
	var (
		listen string
		output outputFlag
	)
	c := &cobra.Command{
		Use:   "board",
		Short: "Show on a page who is where in a workshop",
		Long: `Serves a page that shows the participants of a workshop: the exercise that each is
at, its checks and minutes, and how many are done. Ctrl-C ends it and prints the same as
a table. It is kept in memory alone.

A participant appears who runs the command that the page shows. What then leaves that
machine, after each check, is the name, the exercise, whether it is done, the number of
checks, and the time since the exercise was started. By default only this machine can reach the board; with an address for others
its URL has a random token.`,
		Example: `  sockwatch exercise board --listen 0.0.0.0:9000
  sockwatch exercise join http://192.168.1.20:9000/TOKEN/ --name Ada   # a participant`,
		Args: program.Args(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if !isAddress(listen) {
				return program.Usagef(c, "--listen %s: give HOST:PORT, such as %s", listen, web.Default)
			}
			board, err := web.StartBoard(listen, exercise.IDs())
			if err != nil {
				return err
			}
			sayAddress(streams.Err, "the board", board.URL(), board.Beyond())
			fmt.Fprintf(streams.Err, "To be on it:\n\n  sockwatch exercise join %s --name NAME\n\n", board.URL())
			<-c.Context().Done()
			if err := board.Close(); err != nil {
				return err
			}
			return output.write(streams.Out, boardTable(board.Participants()))
		},
	}
	c.Flags().StringVar(&listen, "listen", web.Default, "HOST:PORT to listen on; 0.0.0.0:PORT lets other machines reach it")
	output.add(c.Flags(), "table", tableAnswer)
	return c
}

func boardTable(all []web.Participant) *render.Document {
	table := render.Table{Name: "the board", Columns: []render.Column{
		{Title: "name"}, {Title: "exercise"}, {Title: "done"}, {Title: "checks", Number: true}, {Title: "min", Number: true},
	}}
	records := [][]string{{"name", "exercise", "done", "checks", "minutes"}}
	group := render.Group{}
	for _, p := range all {
		for _, w := range p.Work {
			done := "no"
			if w.Done {
				done = "yes"
			}
			row := []string{p.Name, w.Exercise, done, fmt.Sprint(w.Checks), fmt.Sprint(w.Minutes())}
			records = append(records, row)
			group.Rows = append(group.Rows, render.Words(row...))
		}
		if len(p.Work) == 0 {
			row := []string{p.Name, "", "", "", ""}
			records = append(records, row)
			group.Rows = append(group.Rows, render.Words(row...))
		}
	}
	table.Groups = []render.Group{group}
	title := words.Plural(len(all), "participant")
	return &render.Document{
		Title: title, Records: records,
		Data:   render.Object{{Name: "schema", Value: "sockwatch.board/v1"}, {Name: "participants", Value: all}},
		Blocks: []render.Block{render.Part{Title: title}, table},
	}
}

// membership is the board that a participant has joined, and the name there.
type membership struct {
	URL  string `json:"url"`
	Name string `json:"name"`
}

// membershipFile is in the user's own folder of settings.
func membershipFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "sockwatch", "board.json"), nil
}

func exerciseJoinCommand(streams program.Streams) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "join URL --name NAME",
		Short: "Appear on the board of a workshop",
		Long: `Tells the board at URL, now and after each check, the name that you choose, the
exercise, whether it is done, the number of checks, and the time since you started it:
nothing else. A board that is away never makes a check fail. sockwatch exercise leave ends it.`,
		Example: `  sockwatch exercise join http://192.168.1.20:9000/TOKEN/ --name Ada`,
		Args:    program.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := newMembership(c, args[0], name)
			if err != nil {
				return err
			}
			if err := m.send(c.Context(), web.Progress{}); err != nil {
				return fmt.Errorf("the board cannot be reached: %w", err)
			}
			file, err := membershipFile()
			if err != nil {
				return err
			}
			text, err := json.Marshal(m)
			if err != nil {
				return err
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, text, 0o600)); err != nil {
				return err
			}
			program.Say(streams.Out, "You are on the board as %s. It hears of each check: the exercise, whether it is done, the number of checks, and the time since you started it.\n", m.Name)
			return nil
		},
	}
	addBoardName(c, &name)
	return c
}

func addBoardName(c *cobra.Command, name *string) {
	c.Flags().StringVar(name, "name", "", fmt.Sprintf("what the board calls you, of at most %d characters", web.LongestName))
}

// newMembership checks what was given on a command line.
func newMembership(c *cobra.Command, board, name string) (*membership, error) {
	name, err := web.CleanName(name)
	if err != nil {
		return nil, program.Usagef(c, "--name: %w", err)
	}
	at, err := url.Parse(board)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" {
		return nil, program.Usagef(c, "%q is no address of a board: it is like http://192.168.1.20:9000/TOKEN/", board)
	}
	return &membership{board, name}, nil
}

// boardFlags are --board and --name, of commands that check.
type boardFlags struct{ board, name string }

func (f *boardFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.board, "board", "", "tell the board at this URL of these checks, and not the one that was joined; with --name")
	addBoardName(c, &f.name)
}

// membership is that of the flags, or else the one that was joined; nil without any.
func (f *boardFlags) membership(c *cobra.Command, errs io.Writer) (*membership, error) {
	if f.board != "" {
		return newMembership(c, f.board, f.name)
	}
	if c.Flags().Changed("board") || c.Flags().Changed("name") {
		return nil, program.Usagef(c, "--board and --name go together: the URL of a board, and what it calls you")
	}
	return joined(errs), nil
}

func exerciseLeaveCommand(streams program.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "leave",
		Short: "Tell the board of a workshop nothing more",
		Args:  program.Args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			file, err := membershipFile()
			if err != nil {
				return err
			}
			err = os.Remove(file)
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			if err == nil {
				fmt.Fprintln(streams.Out, "No board hears of your checks.")
			}
			return err
		},
	}
}

// boardPatience is how long a board may take to answer. A check waits for that at most.
const boardPatience = time.Second

// send sends what was done to the board.
func (m *membership) send(ctx context.Context, p web.Progress) error {
	p.Name = m.Name
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, boardPatience)
	defer cancel()
	to, err := url.JoinPath(m.URL, "progress")
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	// No proxy, and no other address: the board is in the room.
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return failed.Err // without the address, which is a secret
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}

// boardReports are the reports to a board that are on their way.
var boardReports sync.WaitGroup

// joined is the board that the participant has joined; nil without one.
func joined(errs io.Writer) *membership {
	file, err := membershipFile()
	if err != nil {
		return nil
	}
	text, err := regular.Read(file, 64<<10)
	if err != nil {
		return nil
	}
	m := &membership{}
	if err := json.Unmarshal(text, m); err != nil {
		program.Say(errs, "sockwatch: %s: %v; join the board again\n", file, err)
		return nil
	}
	return m
}

// report tells a board, if there is one, of a check, in the background.
// [boardReports] waits for it.
func (m *membership) report(ctx context.Context, errs io.Writer, s exercise.State) {
	if m == nil {
		return
	}
	progress := web.Progress{Exercise: s.ID, Done: !s.Done.IsZero(), Checks: s.Checks, Took: int(s.Took(time.Now()).Seconds())}
	ctx = context.WithoutCancel(ctx) // a check that is over ends its context
	boardReports.Go(func() {
		if err := m.send(ctx, progress); err != nil {
			program.Say(errs, "sockwatch: the board does not know of this check: %v\n", err)
		}
	})
}
