package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	cleanhttp "github.com/hashicorp/go-cleanhttp"
)

var shared = cleanhttp.DefaultPooledClient()

func call(url string) error {
	client := shared
	if os.Getenv("SOCKETLAB_CLIENT") == "new" {
		client = cleanhttp.DefaultPooledClient()
	}
	req, err := http.NewRequest(os.Getenv("SOCKETLAB_METHOD"), url, payload())
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if os.Getenv("SOCKETLAB_BODY") == "read" {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	_ = resp.Body.Close()
	return err
}

func payload() io.Reader {
	if os.Getenv("SOCKETLAB_METHOD") == "POST" {
		return strings.NewReader("body")
	}
	return nil
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
