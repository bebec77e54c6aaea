package netns

import "time"

// AnswerWithin sets how long the supervisor may take for each answer.
func (n *Namespace) AnswerWithin(d time.Duration) { n.timeout = d }
