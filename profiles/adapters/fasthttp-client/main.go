package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/valyala/fasthttp"
)

var shared = &fasthttp.Client{}

func call(url string) error {
	client := shared
	if os.Getenv("SOCKETLAB_CLIENT") == "new" {
		client = &fasthttp.Client{}
	}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	req.SetRequestURI(url)
	req.Header.SetMethod(os.Getenv("SOCKETLAB_METHOD"))
	if os.Getenv("SOCKETLAB_METHOD") == "POST" {
		req.SetBodyString("body")
	}
	return client.DoRedirects(req, resp, 5)
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
