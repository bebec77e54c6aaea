package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	backend := &url.URL{Scheme: "http", Host: os.Getenv("SOCKETLAB_BACKEND")}
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), httputil.NewSingleHostReverseProxy(backend)))
}
