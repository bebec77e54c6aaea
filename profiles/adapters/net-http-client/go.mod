module net-http-client

go 1.26.0
