module cleanhttp-pooled

go 1.26.0

require github.com/hashicorp/go-cleanhttp v0.5.2
