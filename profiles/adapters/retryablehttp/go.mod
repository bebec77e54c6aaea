module retryablehttp

go 1.26.0

require github.com/hashicorp/go-retryablehttp v0.7.8
