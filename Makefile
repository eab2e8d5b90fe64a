# Everything that is done with this repository, by name. `make` prints the list.
#
# Needs Go; for contracts and end-to-end tests Node.js and npm too (all other
# tools are pinned in package.json), and for race detection a C compiler.
# Recipes never run beside each other, also under -j: each uses all cores itself,
# and the end-to-end tests measure time.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# Go and npm keep caches in the home directory; without one they stay here.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.cache/home
endif

GO    ?= go
FORGE := bin/forge
TOOLS := $(FORGE) bin/cast bin/anvil
export CGO_ENABLED ?= 0

# Programs are linked without debug information: traces of panics do without it.
LINK := -ldflags=-w

# Tests are vetted by make lint, all of them and with all checks.
VETTED := -vet=off

# The commit goes into the binary where git is willing to tell it.
BUILDVCS := $(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && git status --porcelain >/dev/null 2>&1 && echo auto || echo false)
GOFLAGS ?= -buildvcs=$(BUILDVCS)
export GOFLAGS

# Of what runs concurrently; make soak adds executor/ipfs and executor/piece.
RACE_PACKAGES := ./oracle/watch/... ./oracle/intake/... ./oracle/report/... ./oracle/txmgr/... \
	./internal/store/... ./executor/runner/... ./executor/queue/...

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## build bin/tidegate
	$(GO) build $(LINK) -o bin/tidegate ./cmd/tidegate

.PHONY: demo
demo: build ## the whole journey on this machine (ARGS="--exit --json")
	bin/tidegate demo $(ARGS)

# The Solidity compiler takes one core for a long while: it works beside the Go tests. What
# it has to say, it says again under check. (A recipe that names MAKE itself would
# be run by make -n too.)
AGAIN := $(MAKE)
.PHONY: test
test: tools ## everything that must pass
	$(FORGE) build >/dev/null 2>&1 & compiling=$$!; trap 'kill $$compiling 2>/dev/null || true' EXIT; \
	$(AGAIN) lint unit race; wait $$compiling || true; $(AGAIN) check contracts e2e
	@echo "make test: all passed"

# The ledger's second driver is tested against Debian's PostgreSQL, which the tests
# start themselves, without a port; or against a server of your own.
.PHONY: postgres
postgres:
	@[ -n "$${TIDEGATE_TEST_POSTGRES:-}" ] || command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get install -y -q postgresql; \
	  else echo "PostgreSQL is missing: install it (apt-get install postgresql), or set TIDEGATE_TEST_POSTGRES to the URL of a server on which databases may be made"; exit 1; fi; }

.PHONY: unit
unit: tools postgres ## Go tests, but for end-to-end and race
	$(GO) test $(VETTED) -timeout 40m $$($(GO) list ./... | grep -v -e /test/e2e -e /test/bench)

# The race detector gets what runs concurrently: -short leaves out suites of one
# goroutine, and SQLite's C in Go is as little instrumented as C would be.
.PHONY: race
race: postgres ## Go tests of what runs concurrently, under the race detector (property tests with 15 draws instead of 100)
	RAPID_CHECKS=15 CGO_ENABLED=1 $(GO) test $(VETTED) -race -short -timeout 40m -gcflags='modernc.org/...=-race=false' $(RACE_PACKAGES)

.PHONY: contracts
contracts: tools ## Foundry tests with gas and size snapshots
	$(FORGE) test

# Coverage is of code without the optimizer, by which forge knows what was run. Gas
# tests are left out: other code costs other gas.
.PHONY: coverage
coverage: tools ## lines, statements, branches and functions of contracts/ that the Foundry tests run, as a table (LCOV=file for editors)
	FOUNDRY_PROFILE=quick FOUNDRY_OUT=.cache/coverage/out FOUNDRY_CACHE_PATH=.cache/coverage/cache \
	  $(FORGE) coverage --report summary $(if $(LCOV),--report lcov --report-file '$(LCOV)') \
	  --no-match-path 'test/contracts/gas/*' --no-match-coverage '^(test|node_modules|scripts)/' \
	  | grep -E '^\| (File|contracts|Total)|^Ran .* test suites|\[FAIL'

.PHONY: e2e
e2e: build tools peers ## the binary against devnet, anvil and a real Kubo (RUN=regexp for some)
	$(GO) test $(VETTED) -count=1 -timeout 60m $(if $(RUN),-run '$(RUN)') ./test/e2e/...

.PHONY: ledger
ledger: ## a deal's life on the devnet, step by step with its money (TIDEGATE_SOAK=1: half a year of it)
	$(GO) test $(VETTED) -count=1 -timeout 60m -v -run TestDealLife ./test/fevm

SEEDS ?= 200
.PHONY: sim
sim: ## the oracle in virtual time against SEEDS=n drawn worlds, 3 s each (FIRST=n begins there)
	SEEDS=$(SEEDS) $(GO) test $(VETTED) -count=1 -timeout 0 -v -run TestSeeds ./test/sim

.PHONY: lint
lint: tools ## gofmt, go vet, staticcheck, import rules, forge fmt
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs -r ls 2>/dev/null | xargs -r gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test ./test/arch/...
	$(FORGE) fmt --check
	$(FORGE) fmt --check test/symbolic

.PHONY: fmt
fmt: tools ## format Go and Solidity
	git ls-files -co --exclude-standard '*.go' | xargs -r ls 2>/dev/null | xargs -r gofmt -w
	$(FORGE) fmt
	$(FORGE) fmt test/symbolic

.PHONY: gen
gen: tools ## write all generated files: bindings from bindings/contracts.json, vectors, gas and size snapshots
	$(GO) run ./scripts/fvmvectors
	$(FORGE) build
	$(GO) run ./scripts/gen
	FORGE_SNAPSHOT_CHECK=false FORGE_SNAPSHOT_EMIT=true $(FORGE) test --match-path 'test/contracts/gas/*'

.PHONY: check
check: tools ## fail where a generated file is not what its sources give, or a contract is too large
	$(FORGE) build
	$(GO) run ./scripts/fvmvectors -check
	$(GO) run ./scripts/gen -check
	$(FORGE) test --match-path 'test/contracts/gas/*'

# Python programs live in environments of their own, at the versions and hashes of
# a file in the folder of the command that runs them.
.cache/python/slither/bin/slither: scripts/analyze/slither.txt
	python3 -m venv --clear .cache/python/slither
	.cache/python/slither/bin/pip install --quiet --require-hashes --no-deps -r $<
	@touch $@

.PHONY: analyze
analyze: tools .cache/python/slither/bin/slither ## slither over the contracts; fails on what scripts/analyze/baseline.txt gives no reason for
	$(GO) run ./scripts/analyze

.cache/python/symbolic/bin/halmos: scripts/symbolic/symbolic.txt
	python3 -m venv --clear .cache/python/symbolic
	.cache/python/symbolic/bin/pip install --quiet --require-hashes --no-deps -r $<
	@touch $@

.PHONY: symbolic
symbolic: tools .cache/python/symbolic/bin/halmos ## halmos over test/symbolic: solvency, bounty and vesting for all values, and planted changes that it has to find
	$(GO) run ./scripts/symbolic $(ARGS)

.PHONY: bench
bench: build tools peers ponder ## every benchmark as one table (ONLY=prefix for some, BENCH_JSON=file for lines of JSON)
	$(GO) run ./scripts/bench -only '$(ONLY)' -json '$(BENCH_JSON)'

.PHONY: soak
soak: build tools peers .cache/python/symbolic/bin/halmos ## long runs, by hand, hours; the result file is committed (ARGS="-only kills"; ARGS=-list prints the stages)
	$(GO) run ./scripts/soak $(ARGS)

.PHONY: tools
tools: $(TOOLS) ## install the pinned npm tools where missing or outdated

# The programs themselves: the scripts of the same names in node_modules/.bin end
# with status 0 whatever the program said, and a failing test would pass.
$(TOOLS): bin/%: node_modules/.package-lock.json
	@mkdir -p bin
	@program=$$(ls node_modules/@foundry-rs/$*-*/bin/$*) || { echo "npm has no $* for this platform"; exit 1; }; \
	ln -sfn ../$$program $@; touch $@

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts --prefer-offline --no-audit --no-fund
	@touch $@

.PHONY: peers
peers: test/peers/bin/ipfs test/peers/node_modules/.package-lock.json ## what tests talk to: a Kubo, libraries of npm

test/peers/bin/ipfs: test/peers/go.mod test/peers/go.sum
	$(GO) build -C test/peers $(LINK) -o bin/ipfs github.com/ipfs/kubo/cmd/ipfs
	@touch $@

test/peers/node_modules/.package-lock.json: test/peers/package.json test/peers/package-lock.json
	npm ci --prefix test/peers --ignore-scripts --prefer-offline --no-audit --no-fund
	@touch $@

.PHONY: ponder
ponder: test/peers/ponder/node_modules/.package-lock.json ## the indexer that `make bench` runs beside ours

test/peers/ponder/node_modules/.package-lock.json: test/peers/ponder/package.json test/peers/ponder/package-lock.json
	npm ci --prefix test/peers/ponder --ignore-scripts --prefer-offline --no-audit --no-fund
	@touch $@

.PHONY: clean
clean: ## remove what was built, and the installed tools
	rm -rf bin out cache node_modules test/peers/bin test/peers/node_modules test/peers/ponder/node_modules
