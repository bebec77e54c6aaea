package main

import (
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

func main() {
	panic(fasthttp.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), func(c *fasthttp.RequestCtx) {
		if string(c.Path()) == "/slow" {
			time.Sleep(2 * time.Second)
		}
		c.WriteString("ok") // the body is read before
	}))
}
