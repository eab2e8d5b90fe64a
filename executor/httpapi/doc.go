// Package httpapi is the daemon's HTTP surface: on this machine the local API
// (/api/v1) for the command line and the operator's own programs, and the admin
// port (metrics, health, profiles); for strangers, off by default, the public port
// with the pieces on offer and the slots of perpetual storage to be claimed.
//
// The first two are not public: both belong on loopback, names in the Host header
// are checked against rebinding, and every mutation needs the key of <data
// dir>/api.key. The public port changes nothing and is a server of its own.
//
// Map:
//
//	server.go   Server: listeners, timeouts, routes, graceful end
//	guard.go    Host allow-list, the API key, body limits
//	jobs.go     /jobs, /requests, /status
//	pins.go     /pins, /files, /content
//	deals.go    deals with storage providers, and how these are scored; repairs.go: pieces that come back
//	buckets.go  /buckets, /pieces
//	events.go   /events: server-sent events of job changes
//	admin.go    /metrics, /healthz, /readyz, /debug/pprof
//	views.go    the JSON forms; openapi.json describes them
//	public.go   Public: the public port; send.go ranges and tokens, clients.go limits,
//	            slots.go open slots, public.json describes it
//	problem.go  errors as application/problem+json
//
// Invariants: lists are {"items":[…],"next":…}; times are RFC 3339 in UTC; hashes
// are 0x-prefixed lower-case hex; an error is a problem+json with a title that
// says what to do.
package httpapi
