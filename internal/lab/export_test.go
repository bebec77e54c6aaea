package lab

import (
	"strings"
	"time"

	"socketlab/internal/worker/netns"
)

// OpenPipes opens pipes, and forgets them.
func OpenPipes(n int) error {
	_, err := openPipes(n)
	return err
}

// SendToOneThatEnded sends an order to a command that has ended.
func SendToOneThatEnded(command ...string) error {
	p := newProgram(answerTimeout)
	if err := p.launch(command, nil, make(chan message)); err != nil {
		return err
	}
	<-p.ended
	return p.mustSend("an order")
}

// SendToOneThatDoesNotRead sends a command an order that is longer than a pipe, and returns
// when the command is gone.
func SendToOneThatDoesNotRead(attention time.Duration, namespace *netns.Namespace, command ...string) error {
	p := newProgram(attention)
	if err := p.launch(command, namespace, make(chan message)); err != nil {
		return err
	}
	err := p.mustSend(strings.Repeat("an order ", 1<<20))
	p.kill()
	return err
}

func newProgram(attention time.Duration) *process {
	return &process{
		name: "program", stderr: &tail{}, patience: endTimeout, attention: attention,
		released: make(chan struct{}), ended: make(chan struct{}),
	}
}
