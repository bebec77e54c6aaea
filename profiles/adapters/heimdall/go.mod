module heimdall

go 1.26.0

require github.com/gojek/heimdall/v7 v7.0.3
