#!/usr/bin/env bash
# Guests of every language, from source: installs the tools that the machine lacks, builds the guests, and puts one table of cases to
# each of them through the real host. Prints a line for each language, also for one that is skipped, and why; then what a hello job
# of each takes.
#
# usage: .ci/polyglot.sh CLOCKBOX        the binary, such as target/release/clockbox
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# = 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
tools=$(.ci/polyglot-tools.sh)
export POLYGLOT_TOOLS=$tools

# Each SDK's own tests, in its own language's way.
export PATH="$tools/venv/bin:$PATH"
! command -v python3 >/dev/null || (cd sdk/python && python3 -m unittest discover -q -s tests)
! command -v node >/dev/null || node --test --test-reporter=dot sdk/javascript/test/*.test.js
[ ! -x "$tools/npm/node_modules/.bin/tsc" ] || "$tools/npm/node_modules/.bin/tsc" --noEmit -p sdk/javascript/test
! command -v cc >/dev/null || make --silent -C sdk/c test
! command -v go >/dev/null || (cd sdk/go && go vet ./... && go test ./... && GOOS=wasip1 GOARCH=wasm go build -tags tinygo ./...)

guests=$(mktemp -d)
trap 'rm -rf "$guests"' EXIT
tests/polyglot/build.sh "$guests"
python3 tests/polyglot/run.py --clockbox "$1" "$guests" --figures
