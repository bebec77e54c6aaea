module fasthttp-client

go 1.26.0

require github.com/valyala/fasthttp v1.78.0
