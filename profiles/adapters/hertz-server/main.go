package main

import (
	"context"
	"os"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
)

func main() {
	h := server.Default(server.WithHostPorts("127.0.0.1:" + os.Getenv("PORT")))
	h.Any("/", func(_ context.Context, c *app.RequestContext) { c.String(200, "ok") })
	h.GET("/slow", func(_ context.Context, c *app.RequestContext) { time.Sleep(2 * time.Second); c.String(200, "ok") })
	h.POST("/read", func(_ context.Context, c *app.RequestContext) { c.String(200, "ok") }) // the body is read before
	h.Spin()
}
