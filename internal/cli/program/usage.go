package program

import (
	"errors"
	"fmt"
	"math"
	"strconv"

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
