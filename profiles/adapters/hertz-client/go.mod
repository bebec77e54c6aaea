module hertz-client

go 1.26.0

require github.com/cloudwego/hertz v0.10.4
