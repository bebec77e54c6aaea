package kubelet

// Read is for tests.
var Read = read
