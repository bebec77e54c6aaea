package scenario

import "flag"

var update = flag.Bool("update", false, "rewrite the schema and the expected errors in testdata")
