package main

import (
	"io"
	"os"
	"time"

	"github.com/gin-gonic/gin"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Any("/", func(c *gin.Context) { c.String(200, "ok") })
	r.GET("/slow", func(c *gin.Context) { time.Sleep(2 * time.Second); c.String(200, "ok") })
	r.POST("/read", func(c *gin.Context) { io.Copy(io.Discard, c.Request.Body); c.String(200, "ok") })
	panic(r.Run("127.0.0.1:" + os.Getenv("PORT")))
}
