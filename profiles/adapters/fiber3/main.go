package main

import (
	"os"
	"time"

	"github.com/gofiber/fiber/v3"
)

func main() {
	app := fiber.New()
	app.All("/", func(c fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/slow", func(c fiber.Ctx) error { time.Sleep(2 * time.Second); return c.SendString("ok") })
	app.Post("/read", func(c fiber.Ctx) error { return c.SendString("ok") }) // the body is read before
	panic(app.Listen("127.0.0.1:" + os.Getenv("PORT")))
}
