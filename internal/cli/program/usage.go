package program

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/words"
)

// Any is no upper limit of [Args].
const Any = math.MaxInt

// Args accepts from least to most arguments. Its error says how the command is to be
// called.
func Args(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if least <= len(args) && len(args) <= most {
			return nil
		}
		form := c.Use
		if c.HasParent() {
			form = c.Parent().CommandPath() + " " + form
		}
		if most == 0 {
			return fmt.Errorf("%q is one word too many: the form is %s", args[0], form)
		}
		return fmt.Errorf("%s given: the form is %s", words.Plural(len(args), "argument"), form)
	}
}

// helpCommand is cobra's help, in which a word that is no command is an error.
func helpCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Say what a command does, and which flags it has",
		Args:  Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			about, unknown, err := c.Root().Find(args)
			if err == nil && len(unknown) > 0 {
				err = about.ValidateArgs(unknown)
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
	usageErrors(c)
	return c
}

// flagError says of a list of numbers what is none: pflag passes on what strconv says.
func flagError(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var number *strconv.NumError
	if !errors.As(err, &invalid) || !errors.As(err, &number) {
		return Usagef(c, "%w", err)
	}
	wrong := "is no number"
	if errors.Is(number, strconv.ErrRange) {
		wrong = "is out of range"
	}
	return Usagef(c, "--%s: %q %s", invalid.GetFlag().Name, number.Num, wrong)
}

// emptyFlag returns an error for a text or a list that was given and is empty, which is what a variable
// of a script is that was not set: --record "$FILE" would record nothing, and --name "$NAME"
// would look at every process.
func emptyFlag(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		list, isList := f.Value.(pflag.SliceValue)
		if err == nil && (f.Value.Type() == "string" && f.Value.String() == "" || isList && len(list.GetSlice()) == 0) {
			err = fmt.Errorf("--%s is empty", f.Name)
		}
	})
	return err
}

// negativeFlag returns an error for a number or a time below 0: no flag has a use for one, and a limit
// that is computed wrongly in a script would be none.
func negativeFlag(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "int", "float64", "duration":
			// Zero without its sign is that of -0, which is 0.
			if text := f.Value.String(); err == nil && strings.HasPrefix(text, "-") && text != "-0" {
				err = fmt.Errorf("--%s %s is negative", f.Name, text)
			}
		}
	})
	return err
}

// needs is the annotation of a flag with the names of others, of which one must be given with it.
const needs = "needs"

// Needs says that a flag is for another one: without it, or one of several, it would be taken and do
// nothing, and is a wrong command line.
func Needs(f *pflag.FlagSet, name string, others ...string) {
	// It fails for a flag that is not there, which is a mistake of a command and not of its user.
	if err := f.SetAnnotation(name, needs, others); err != nil {
		panic(err)
	}
}

// lonelyFlag returns an error for a flag that was given without the one that it is for.
func lonelyFlag(flags *pflag.FlagSet) (err error) {
	given := func(name string) bool {
		f := flags.Lookup(name)
		return f.Changed && (f.Value.Type() != "bool" || f.Value.String() == "true")
	}
	flags.Visit(func(f *pflag.Flag) {
		others := f.Annotations[needs]
		// A command has its own words for what is hidden there.
		if err == nil && len(others) > 0 && !f.Hidden && given(f.Name) && !slices.ContainsFunc(others, given) {
			err = fmt.Errorf("--%s is for --%s", f.Name, strings.Join(others, " or --"))
		}
	})
	return err
}

// plainUsage lists the flags of a command as people write them, without what pflag
// adds by itself: "[=true|false]", the types of lists, and empty defaults.
func plainUsage(root *cobra.Command) {
	usage := root.UsageFunc()
	root.SetUsageFunc(func(c *cobra.Command) error {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.DefValue == "[]" || f.DefValue == "0s" {
				f.DefValue = "" // which is not shown
			}
			f.Value = shownFlag{f.Value, f.NoOptDefVal != ""}
			f.NoOptDefVal = ""
		})
		return usage(c)
	})
}

// shownFlag is a flag in a help text. Nothing is parsed after that.
type shownFlag struct {
	pflag.Value
	optional bool // it can do without a value
}

// Type names what the flag takes.
func (f shownFlag) Type() string {
	switch name := f.Value.Type(); name {
	case "bool":
		return "bool" // which pflag lists without a value
	case "int32Slice", "intSlice":
		return "numbers"
	case "stringSlice":
		return "words"
	default:
		if f.optional {
			return "[" + name + "]"
		}
		return name
	}
}
