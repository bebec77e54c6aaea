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
	if err := p.launch(command, nil, make(chan message, 2)); err != nil { // what it says, and that it is gone
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

// SaidBy returns the first two things that a command says: its answers, its errors, and
// that it is gone.
func SaidBy(command ...string) (said [2]string, err error) {
	p, messages := newProgram(answerTimeout), make(chan message)
	if err := p.launch(command, nil, messages); err != nil {
		return said, err
	}
	defer p.kill()
	for i := range said {
		m := <-messages
		said[i] = m.answer.Error
		if m.gone {
			said[i] = "gone"
		}
	}
	return said, nil
}

// AskOneThatDoesNotAnswer waits until a command says something, and gives up its answer.
func AskOneThatDoesNotAnswer(patience time.Duration, command ...string) error {
	p, messages := newProgram(answerTimeout), make(chan message)
	p.patience = patience
	if err := p.launch(command, nil, messages); err != nil {
		return err
	}
	defer p.kill()
	<-messages
	return p.unanswered(answerTimeout)
}

func newProgram(attention time.Duration) *process {
	return &process{
		name: "program", stderr: &tail{}, patience: endTimeout, attention: attention,
		released: make(chan struct{}), ended: make(chan struct{}),
	}
}
