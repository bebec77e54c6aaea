module resty-2

go 1.26.0

require github.com/go-resty/resty/v2 v2.17.2
