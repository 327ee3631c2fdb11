#!/usr/bin/env bash
# Builds the plugins from source into plugins/prebuilt, and copies those that the quickstart uses.
#
# usage: plugins/build.sh            build and put in place
#        plugins/build.sh --check    build, and compare with what is in place: 0 when it is the same plugin, 1 when not
#
# Uses rustup's target wasm32-wasip2 where it is installed; else makes a toolchain of its own (.ci/guest-toolchain.sh).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
target=wasm32-wasip2
plugins=(counter follow-up hello http-check noop prune webhook)
in_quickstart=(hello prune)

case "${1:-}" in
    "") check=false ;;
    --check) check=true ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

cd "$here"
if compgen -G "$(rustc --print target-libdir --target $target)/libstd-*.rlib" >/dev/null; then
    cargo=cargo
else
    cargo=$("$root/.ci/guest-toolchain.sh")/bin/guest-cargo
fi

# No path of this machine gets into a file.
home=${CARGO_HOME:-$HOME/.cargo}
flags=(--remap-path-prefix="$root"=/clockbox --remap-path-prefix="$home"=/cargo)
for registry in "$home"/registry/src/*/; do
    flags+=(--remap-path-prefix="${registry%/}"=/crates)
done
packages=()
for plugin in "${plugins[@]}"; do packages+=(-p "$plugin"); done
separator=$'\x1f'
joined=$(printf "%s$separator" "${flags[@]}")
CARGO_ENCODED_RUSTFLAGS=${joined%"$separator"} RUSTC_WRAPPER=$here/rustc-anywhere.sh \
    "$cargo" build --locked --release --target $target "${packages[@]}"
built=${CARGO_TARGET_DIR:-$here/target}/$target/release

surface() { cargo run --quiet --locked -p surface -- "$1"; }

wrong=0
for plugin in "${plugins[@]}"; do
    new=$built/${plugin//-/_}.wasm
    old=prebuilt/$plugin.wasm
    if leak=$(grep -aoE "($root|$home|$HOME/)[^\"]{0,60}" "$new"); then
        echo "error: $plugin.wasm holds a path of this machine: ${leak%%$'\n'*}" >&2
        wrong=1
    fi
    if ! $check; then
        mkdir -p prebuilt
        cp "$new" "$old"
        echo "$old: $(wc -c <"$old") bytes"
    elif [ ! -f "$old" ]; then
        echo "error: plugins/$old is missing; run plugins/build.sh" >&2
        wrong=1
    elif cmp -s "$new" "$old"; then
        echo "$old: byte for byte the same"
    elif difference=$(diff <(surface "$old") <(surface "$new")); then
        echo "$old: the same imports, exports and description; other bytes, as another compiler makes them"
    else
        printf 'error: plugins/%s is not what the source builds; run plugins/build.sh\n%s\n' "$old" "$difference" >&2
        wrong=1
    fi
done

for plugin in "${in_quickstart[@]}"; do
    copy=$root/examples/quickstart/jobs/$plugin.wasm
    $check || { mkdir -p "$(dirname "$copy")" && cp "prebuilt/$plugin.wasm" "$copy"; }
    if ! cmp -s "prebuilt/$plugin.wasm" "$copy"; then
        echo "error: examples/quickstart/jobs/$plugin.wasm is not plugins/prebuilt/$plugin.wasm; run plugins/build.sh" >&2
        wrong=1
    fi
done
exit $wrong
