package httppool

// list is a doubly linked list of records that hold their own links, so that to add and
// to remove one allocates nothing.
type list[T interface {
	comparable
	at() *links[T]
}] struct {
	first, last T
}

type links[T any] struct {
	prev, next T
	in         bool // some list
}

func (l *links[T]) at() *links[T] { return l }

func (l *list[T]) add(e T) {
	var none T
	at := e.at()
	at.prev, at.next, at.in = l.last, none, true
	if l.last == none {
		l.first = e
	} else {
		l.last.at().next = e
	}
	l.last = e
}

// remove reports whether e was in the list.
func (l *list[T]) remove(e T) bool {
	var none T
	at := e.at()
	if !at.in {
		return false
	}
	if at.prev == none {
		l.first = at.next
	} else {
		at.prev.at().next = at.next
	}
	if at.next == none {
		l.last = at.prev
	} else {
		at.next.at().prev = at.prev
	}
	*at = links[T]{}
	return true
}

// all yields the records from the oldest on. Do not change the list meanwhile.
func (l *list[T]) all(yield func(T) bool) {
	var none T
	for e := l.first; e != none; e = e.at().next {
		if !yield(e) {
			return
		}
	}
}
