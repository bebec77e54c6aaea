package scenarios

// peakLoad is the incident that has many of the others in it, and its repair step
// by step.
var peakLoad = []pair{}
