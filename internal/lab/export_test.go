package lab

// OpenPipes opens pipes, and forgets them.
func OpenPipes(n int) error {
	_, err := openPipes(n)
	return err
}

// SendToOneThatEnded sends an order to a command that has ended.
func SendToOneThatEnded(command ...string) error {
	p := &process{name: "program", stderr: &tail{}, patience: endTimeout, released: make(chan struct{}), ended: make(chan struct{})}
	if err := p.launch(command, nil, make(chan message)); err != nil {
		return err
	}
	<-p.ended
	return p.mustSend("an order")
}
