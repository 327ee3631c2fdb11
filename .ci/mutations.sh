#!/usr/bin/env bash
# Whether the simulation would notice: applies each bug of host/core/tests/mutations to a copy of the core, runs the
# simulation over it, and expects it to fail. Prints what caught each; fails when one is not caught, or no longer
# applies.
#
#   .ci/mutations.sh [NAME…]     only these
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 RUST_BACKTRACE=0 CARGO_PROFILE_DEV_DEBUG=0
export CARGO_TARGET_DIR=${MUTATIONS_TARGET:-$PWD/target/mutations}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/host"
cp -r host/core host/store "$copy/host/"
cp Cargo.lock "$copy/"
# The core and the store, without what takes minutes to build.
sed -e 's/^members = .*/members = ["host\/core", "host\/store"]/' -e '/^exclude = /d' -e '/^default-members = /d' \
    Cargo.toml >"$copy/Cargo.toml"

build() { (cd "$copy" && cargo test -p clockbox-core --test simulation --no-run 2>&1); }
simulate() { (cd "$copy" && timeout 120 cargo test -p clockbox-core --test simulation -- the_promises 2>&1); }

log=$copy/log
if ! build >"$log" || ! simulate >"$log"; then
    cat "$log"
    echo "error: the simulation fails without any mutation" >&2
    exit 1
fi

if [ $# -gt 0 ]; then names=("$@"); else
    names=()
    for patch in host/core/tests/mutations/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi
failed=0
printf '%-34s %s\n' "mutation" "caught by"
for name in "${names[@]}"; do
    patch=$PWD/host/core/tests/mutations/$name.patch
    if ! (cd "$copy" && git apply --whitespace=nowarn "$patch" 2>"$log"); then
        printf '%-34s %s\n' "$name" "DOES NOT APPLY: $(head -1 "$log"); make the patch anew"
        failed=1
        continue
    fi
    if ! build >"$log"; then
        caught="DOES NOT COMPILE: $(grep -m1 '^error' "$log")"
        failed=1
    elif simulate >"$log"; then
        caught="NOT CAUGHT"
        failed=1
    else
        # A mutation that hangs is caught by the clock.
        caught=$(grep -m1 -E '^seed [0-9]+( fails|:)' "$log" | cut -c1-110 || true)
        caught=${caught:-no end within two minutes}
    fi
    printf '%-34s %s\n' "$name" "$caught"
    (cd "$copy" && git apply --whitespace=nowarn -R "$patch")
done
exit $failed
