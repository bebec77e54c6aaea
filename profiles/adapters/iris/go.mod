module adapter

go 1.26.0

require github.com/kataras/iris/v12 v12.2.11
