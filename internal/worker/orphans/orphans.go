// Package orphans finds the processes below one, also those that left its process group
// and outlived their parents, so that they can be ended with it.
package orphans
