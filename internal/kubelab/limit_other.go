//go:build !unix

package kubelab

// limitDescriptors does nothing: pods run Linux.
func limitDescriptors() error { return nil }
