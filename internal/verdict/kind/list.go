package kind

// Code generated from the rules by go test ./internal/verdict -run Generated -update. DO NOT EDIT.

// All lists the kinds in the order in which their rules are tried.
func All() []Kind {
	return []Kind{
		"ungraceful-shutdown",
		"retry-storm",
		"load-imbalance",
		"accept-queue-overflow",
		"connect-stalled",
		"response-body-leak",
		"close-wait-leak",
		"half-closed-connections",
		"inherited-connections",
		"accept-stalled",
		"pool-exhaustion",
		"request-stalled",
		"timeout-too-short",
		"stale-connection-reuse",
		"idle-connections-not-reused",
		"connection-churn",
		"idle-timeout-missing",
		"half-open-connections",
		"server-idle-clients",
		"connection-growth",
		"descriptor-leak",
		"connect-refused",
		"port-exhaustion",
		"fd-exhaustion",
		"not-enough-data",
		"growing",
		"healthy",
	}
}
