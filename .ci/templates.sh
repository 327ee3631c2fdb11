#!/usr/bin/env bash
# From nothing to a first run, as an author does it: new, the language's own test, build, exec. Prints how long each step takes.
#
# usage: .ci/templates.sh CLOCKBOX        the binary, such as target/debug/clockbox
#
# Rust, with rustup's target wasm32-wasip2 where it is installed; else with a toolchain of its own (.ci/guest-toolchain.sh).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
[ $# = 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
clockbox=$(readlink -f "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache CLOCKBOX_SDK=$root/sdk
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET

build_path=$PATH
if ! compgen -G "$(rustc --print target-libdir --target wasm32-wasip2)/libstd-*.rlib" >/dev/null; then
    toolchain=$(env -u XDG_CACHE_HOME "$root/.ci/guest-toolchain.sh")
    mkdir "$work/bin"
    ln -s "$toolchain/bin/guest-cargo" "$work/bin/cargo"
    build_path=$work/bin:$PATH
fi

timed() { # name, command …
    local name=$1 begun ended
    shift
    begun=$(date +%s.%N)
    "$@"
    ended=$(date +%s.%N)
    printf 'rust: %-6s %6.1f s\n' "$name" "$(awk "BEGIN { print $ended - $begun }")" >&2
}

cd "$work"
timed new "$clockbox" new first-job --lang rust
cd first-job
timed test cargo test --quiet
timed build env PATH="$build_path" "$clockbox" build
timed exec "$clockbox" exec first-job.wasm --allow state --args '{"name": "Ada"}' --json >run.json
timed exec "$clockbox" exec first-job.wasm --allow state >output
cat output
grep -q '"hello Ada, for the 1. time"' run.json || { echo "error: the output is not as it should be" >&2; exit 1; }
grep -q '"hello world, for the 1. time"' output || { echo "error: the description does not count" >&2; exit 1; }
"$clockbox" check .
