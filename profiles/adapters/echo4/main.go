package main

import (
	"io"
	"os"
	"time"

	"github.com/labstack/echo/v4"
)

func main() {
	e := echo.New()
	e.Any("/", func(c echo.Context) error { return c.String(200, "ok") })
	e.GET("/slow", func(c echo.Context) error { time.Sleep(2 * time.Second); return c.String(200, "ok") })
	e.POST("/read", func(c echo.Context) error { io.Copy(io.Discard, c.Request().Body); return c.String(200, "ok") })
	if err := e.Start("127.0.0.1:" + os.Getenv("PORT")); err != nil {
		panic(err)
	}
}
