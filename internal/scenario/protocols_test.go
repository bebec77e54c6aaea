package scenario_test

// What servers can speak, and be told.
import _ "socketlab/internal/server"
