package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/gojek/heimdall/v7/httpclient"
)

var shared = httpclient.NewClient()

func call(url string) error {
	req, err := http.NewRequest(os.Getenv("SOCKETLAB_METHOD"), url, payload())
	if err != nil {
		return err
	}
	client := shared
	if os.Getenv("SOCKETLAB_CLIENT") == "new" {
		client = httpclient.NewClient()
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if os.Getenv("SOCKETLAB_BODY") == "read" {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	if os.Getenv("SOCKETLAB_BODY") != "unclosed" {
		_ = resp.Body.Close()
	}
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
