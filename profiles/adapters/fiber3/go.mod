module adapter

go 1.26.0

require github.com/gofiber/fiber/v3 v3.1.0
