// Package httpapi is the daemon's HTTP surface on this machine: the local API
// (/api/v1) for the command line and the operator's own programs, and the admin
// port (metrics, health, profiles).
//
// It is not public: both ports belong on loopback, names in the Host header are
// checked against rebinding, every mutation needs the key of <data dir>/api.key,
// and what strangers may read (pieces, gateway) belongs on another port.
//
// Map:
//
//	server.go   Server: listeners, timeouts, routes, graceful end
//	guard.go    Host allow-list, the API key, body limits
//	jobs.go     /jobs, /requests, /status
//	pins.go     /pins, /files, /content
//	events.go   /events: server-sent events of job changes
//	admin.go    /metrics, /healthz, /readyz, /debug/pprof
//	views.go    the JSON forms; openapi.json describes them
//	problem.go  errors as application/problem+json
//
// Invariants: lists are {"items":[…],"next":…}; times are RFC 3339 in UTC; hashes
// are 0x-prefixed lower-case hex; an error is a problem+json with a title that
// says what to do.
package httpapi
