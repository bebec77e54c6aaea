package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/go-resty/resty/v2"
)

var shared = resty.New()

func call(url string) error {
	client := shared
	if os.Getenv("SOCKETLAB_CLIENT") == "new" {
		client = resty.New()
	}
	r := client.R()
	if os.Getenv("SOCKETLAB_METHOD") == "POST" {
		r.SetBody("body")
	}
	if os.Getenv("SOCKETLAB_BODY") == "unread" {
		r.SetDoNotParseResponse(true)
	}
	resp, err := r.Execute(os.Getenv("SOCKETLAB_METHOD"), url)
	if err == nil && os.Getenv("SOCKETLAB_BODY") == "unread" {
		err = resp.RawBody().Close()
	}
	return err
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
