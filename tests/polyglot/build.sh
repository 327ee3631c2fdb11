#!/usr/bin/env bash
# Builds two jobs of each language into a folder: LANGUAGE.wasm, the guest that the table of cases is put to, and hello-LANGUAGE.wasm,
# the smallest one. Uses the tools on PATH and those in $POLYGLOT_TOOLS (default: ~/.cache/clockbox-polyglot, which .ci/polyglot-tools.sh
# fills). A language whose tools are missing is skipped, and the reason is told; one that has its tools and does not build is an error.
#
# usage: tests/polyglot/build.sh FOLDER [LANGUAGE…]
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
languages=("${@:-all}")
[ "${languages[0]}" != all ] || languages=(rust python javascript c go zig)
guests=$repository/tests/polyglot
tools=${POLYGLOT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/clockbox-polyglot}
export PATH="$tools/venv/bin:$tools/npm/node_modules/.bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The world of the hello jobs imports what needs no right. A bundle of its own, as the package's text in a clone stays as it is.
cp -r "$repository/wit" "$work/wit"
printf 'package clockbox:job@0.1.0;\n\nworld plugin {\n    import context;\n    import log;\n    import progress;\n    export runner;\n}\n' >"$work/wit/plugin.wit"

lacking() { # the first of these tools that is not here
    local tool
    for tool in "$@"; do command -v "$tool" >/dev/null || { echo "$tool is missing"; return; }; done
}

component() { # CORE RESULT: a core module that was built by hand becomes a component
    jco embed "$1" --wit "$repository/wit" -n job -o "$work/embedded.wasm" >/dev/null
    jco new "$work/embedded.wasm" --wasi-reactor -o "$2" >/dev/null
}

rust_lacks() { lacking cargo rustc; }
rust() {
    local cargo=cargo
    compgen -G "$(rustc --print target-libdir --target wasm32-wasip2)/libstd-*.rlib" >/dev/null \
        || cargo=$("$repository/.ci/guest-toolchain.sh")/bin/guest-cargo
    (cd "$guests/rust" && "$cargo" build --quiet --release --locked --examples --target wasm32-wasip2 --target-dir "$tools/rust")
    cp "$tools/rust/wasm32-wasip2/release/examples/guest.wasm" "$out/rust.wasm"
    cp "$tools/rust/wasm32-wasip2/release/examples/hello.wasm" "$out/hello-rust.wasm"
}

python_lacks() { lacking componentize-py; }
python() {
    componentize-py -q -d "$work/wit" -w job componentize -p "$guests/python" -p "$repository/sdk/python" guest -o "$out/python.wasm"
    componentize-py -q -d "$work/wit" -w plugin componentize -p "$guests/python" -p "$repository/sdk/python" hello -o "$out/hello-python.wasm"
}

javascript_lacks() { lacking node esbuild componentize-qjs; }
javascript() {
    mkdir -p "$work/node_modules"
    ln -sfn "$repository/sdk/javascript" "$work/node_modules/clockbox-sdk"
    local name world result
    while read -r name world result; do
        NODE_PATH=$work/node_modules esbuild "$repository/sdk/javascript/src/entry.js" "--alias:clockbox-job=$guests/javascript/$name" \
            --log-level=warning --bundle --format=esm --platform=neutral --conditions=clockbox '--external:clockbox:*' --outfile="$work/$name.mjs"
        componentize-qjs -w "$work/wit" -n "$world" -j "$work/$name.mjs" --sync --opt-size -o "$out/$result.wasm" >/dev/null
    done <<<$'guest.js job javascript\nhello.ts plugin hello-javascript'
}

c_lacks() { lacking jco clang-19 wasm-ld-19; }
c() {
    for name in guest hello; do
        # -Xclang, as for an -Os of its own clang runs any wasm-opt on PATH, and the guest is to be the same without.
        clang-19 --target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -std=c11 -Xclang -Os -s -Wall -Wextra -Werror \
            -I"$repository/sdk/c/src" "$repository"/sdk/c/src/*.c "$guests/c/$name.c" -o "$work/c-$name.wasm"
    done
    component "$work/c-guest.wasm" "$out/c.wasm"
    component "$work/c-hello.wasm" "$out/hello-c.wasm"
}

go_lacks() { lacking jco go; }
go_() {
    for name in guest hello; do
        mkdir "$work/go-$name"
        cp "$guests/go/$name.go" "$work/go-$name/main.go"
        printf 'module %s\n\ngo 1.24\n\nrequire clockbox v0.0.0\n\nreplace clockbox => %s\n' "$name" "$repository/sdk/go" >"$work/go-$name/go.mod"
        (cd "$work/go-$name" && GOOS=wasip1 GOARCH=wasm go build -trimpath -buildmode=c-shared -ldflags="-s -w" -o "$work/go-$name.wasm" .)
    done
    component "$work/go-guest.wasm" "$out/go.wasm"
    component "$work/go-hello.wasm" "$out/hello-go.wasm"
}

zig_lacks() { lacking jco python-zig; }
zig() { # the guest in C, by the compiler that comes with Zig; and hello in Zig over the SDK for C
    local stack=65536 # as clang has it; else Zig's linker reserves 16 MiB, in each instance
    python-zig cc -target wasm32-wasi -mexec-model=reactor -Os -s -I"$repository/sdk/c/src" "$repository"/sdk/c/src/*.c "$guests/c/guest.c" \
        "-Wl,-z,stack-size=$stack" -o "$work/zig-guest.wasm"
    component "$work/zig-guest.wasm" "$out/zig.wasm"
    cp "$guests/zig/hello.zig" "$work/hello.zig"
    python-zig translate-c -lc -target wasm32-wasi "$repository/sdk/c/src/clockbox.h" >"$work/clockbox.zig"
    python-zig build-exe -target wasm32-wasi -O ReleaseSmall --stack "$stack" -fno-entry -mexec-model=reactor -rdynamic -lc \
        -I"$repository/sdk/c/src" -femit-bin="$work/zig-hello.wasm" "$work/hello.zig" -cflags -Os -- "$repository"/sdk/c/src/*.c
    component "$work/zig-hello.wasm" "$out/hello-zig.wasm"
}

for language in "${languages[@]}"; do
    rm -f "$out/$language.wasm" "$out/hello-$language.wasm" "$out/$language.skipped"
    reason=$("${language}_lacks")
    if [ -n "$reason" ]; then
        echo "$language: skipped: $reason" | tee "$out/$language.skipped"
        continue
    fi
    started=$SECONDS
    case $language in go) go_ ;; *) "$language" ;; esac
    echo "$language: built in $((SECONDS - started)) s"
done
