package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/cloudwego/hertz/pkg/app/client"
	"github.com/cloudwego/hertz/pkg/protocol"
)

var shared = newClient()

func newClient() *client.Client {
	c, err := client.NewClient()
	if err != nil {
		panic(err)
	}
	return c
}

func call(url string) error {
	c := shared
	if os.Getenv("SOCKETLAB_CLIENT") == "new" {
		c = newClient()
	}
	req, resp := protocol.AcquireRequest(), protocol.AcquireResponse()
	req.SetRequestURI(url)
	req.SetMethod(os.Getenv("SOCKETLAB_METHOD"))
	if os.Getenv("SOCKETLAB_METHOD") == "POST" {
		req.SetBodyString("body")
	}
	return c.DoRedirects(context.Background(), req, resp, 5)
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		number, url, _ := strings.Cut(lines.Text(), " ")
		go func() {
			if err := call(url); err != nil {
				fmt.Println(number, "error")
				return
			}
			fmt.Println(number, "ok")
		}()
	}
}
