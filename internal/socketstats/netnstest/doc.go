// Package netnstest gives the tests of a package a network namespace of their own,
// in which no neighbour opens, closes or refuses a connection. What looks at the
// kernel then sees its own sockets only, also on a busy machine.
package netnstest
