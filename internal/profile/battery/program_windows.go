package battery

import "errors"

type program struct {
	*calls
	group  int
	stderr *lastWords
}

func start([]string, string, string, []string) (*program, error) {
	return nil, errors.New("a client is profiled on Linux and macOS only")
}

func (*program) end() {}
