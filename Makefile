.DEFAULT_GOAL := help
.PHONY: help demo drill test test-examples test-faults test-matrix check fmt servers

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## see a migration's whole life on a throwaway server (ENGINE=mariadb for MariaDB)
	@scripts/servers.sh $(or $(ENGINE),postgres)
	@cargo run --locked -- demo --engine $(or $(ENGINE),postgres)

drill: ## deploy a service in every way while its schema changes (ENGINE=mariadb for one)
	@scripts/servers.sh $(or $(ENGINE),postgres mariadb)
	@cargo build --locked --quiet --bin zdm --example rolling-deploy
	@target/debug/examples/rolling-deploy $(ENGINE)

test: ## run everything that CI runs
	@scripts/test.sh

test-examples: ## hold the clients of examples/languages against servers (gets Node, Go, Java and drivers)
	@scripts/examples.sh

test-faults: ## try every fault at every point of every command (takes long; FAULTS=postgres:contract for a part)
	@scripts/test-faults.sh $(FAULTS)

test-matrix: ## hold what zdm says of statements against every server that can be fetched
	@scripts/matrix.sh

check: ## compile and lint, without running tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

fmt: ## format the code
	cargo fmt

servers: ## get the servers that the demo and the tests need
	@scripts/servers.sh postgres mariadb
