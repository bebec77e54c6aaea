// Package statefixture holds real TCP sockets on loopback in known states,
// so that a test can say: hold this set, and the source must list exactly it.
//
// Holding needs Linux; elsewhere the package is empty. Every wait asks the
// kernel (TCP_INFO), none asks the code under test.
package statefixture
