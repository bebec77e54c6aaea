package main

import (
	"io"
	"os"
	"time"

	"github.com/kataras/iris/v12"
)

func main() {
	app := iris.New()
	app.Logger().SetLevel("disable")
	app.Any("/", func(c iris.Context) { c.WriteString("ok") })
	app.Get("/slow", func(c iris.Context) { time.Sleep(2 * time.Second); c.WriteString("ok") })
	app.Post("/read", func(c iris.Context) { io.Copy(io.Discard, c.Request().Body); c.WriteString("ok") })
	app.Listen("127.0.0.1:" + os.Getenv("PORT"))
}
