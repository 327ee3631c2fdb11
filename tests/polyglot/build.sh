#!/usr/bin/env bash
# Builds the guest and the hello job of each language into a folder, with the tools that the machine has: those on PATH, and those
# in $POLYGLOT_TOOLS (by default ~/.cache/clockbox-polyglot, which .ci/polyglot.sh fills). A language whose tools are missing or whose
# build fails is told with the reason, in `skipped` of that folder too.
#
# usage: tests/polyglot/build.sh FOLDER [LANGUAGE…]
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "${1:?usage: $0 FOLDER [LANGUAGE…]}"
out=$(cd "$1" && pwd)
shift
tools=${POLYGLOT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/clockbox-polyglot}
export PATH="$tools/venv/bin:$tools/npm/node_modules/.bin:$PATH"
guests=$repository/tests/polyglot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$out/skipped"

lacks() { # names the first of these tools that is not here
    local tool
    for tool in "$@"; do command -v "$tool" >/dev/null || { echo "$tool is missing"; return 0; }; done
    return 1
}

python() { # SOURCE WORLD RESULT
    lacks componentize-py && return 1
    mkdir "$work/py-$3" && cp "$1" "$work/py-$3/plugin_main.py"
    componentize-py -q -d "$repository/wit" -d "$guests/plugin.wit" -w "$2" \
        componentize -p "$work/py-$3" -p "$repository/sdk/python" plugin_main -o "$out/$3.wasm"
}

javascript() {
    lacks node esbuild componentize-qjs && return 1
    mkdir -p "$work/node_modules"
    ln -sfn "$repository/sdk/javascript" "$work/node_modules/clockbox-sdk"
    NODE_PATH="$work/node_modules" esbuild "$1" --log-level=warning --bundle --format=esm --platform=neutral \
        --conditions=clockbox '--external:clockbox:*' '--external:wasi:*' "--outfile=$work/$3.js"
    wit "$2"
    componentize-qjs -w "$work/wit" -n "$2" -j "$work/$3.js" --sync --opt-size -o "$out/$3.wasm" >/dev/null
}
