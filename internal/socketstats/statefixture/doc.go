// Package statefixture holds real TCP sockets on loopback in known states, for
// tests that a source lists exactly these.
//
// It needs Linux; elsewhere the package is empty. It waits for a state by asking
// the kernel (TCP_INFO), never by asking the code under test.
package statefixture
