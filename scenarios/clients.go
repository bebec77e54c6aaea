package scenarios

// clients are incidents of clients that share what they should not, or do not
// share what they should.
var clients = []pair{}
