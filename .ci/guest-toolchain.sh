#!/usr/bin/env bash
# Makes a Rust toolchain that builds wasm32-wasip2 guests on a Debian machine where `rustup target add` is impossible, and
# prints its folder. With rustup's own target none of this is needed.
#
# usage: .ci/guest-toolchain.sh [FOLDER]       (default: ~/.cache/clockbox-guest-rust, kept for the next time)
#
# Its parts: Debian's rustc-web, cargo-web and rust-web-src (unpacked, not installed), Debian's wasi-libc, and the wasm
# linkers of the Rust toolchain that is there. Needs no root and leaves PATH alone; takes some 150 MB of download and two
# minutes of CPU the first time.
set -euo pipefail

prefix=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/clockbox-guest-rust}
target=wasm32-wasip2
host=x86_64-unknown-linux-gnu
recipe=2 # raise it when the recipe changes, so that kept toolchains are made anew

if [ "$(cat "$prefix/recipe" 2>/dev/null)" = "$recipe" ]; then
    echo "$prefix"
    exit
fi
if [ -e "$prefix" ] && [ ! -d "$prefix/lib/rustlib" ]; then
    echo "error: $prefix exists and is no toolchain; name another folder" >&2
    exit 1
fi
for tool in apt-get apt-cache dpkg rustc; do
    command -v "$tool" >/dev/null || { echo "error: $tool is missing; install rustup's target instead: rustup target add $target" >&2; exit 1; }
done
linkers=$(rustc --print sysroot)/lib/rustlib/$host/bin
for linker in rust-lld wasm-component-ld; do
    [ -x "$linkers/$linker" ] || { echo "error: $linkers/$linker is missing; use a toolchain installed by rustup" >&2; exit 1; }
done

echo "making a toolchain for $target in $prefix" >&2
mkdir -p "$(dirname "$prefix")"
work=$(mktemp -d)
new=$(mktemp -d "$prefix.XXXXXX")
trap 'rm -rf "$work" "$new"' EXIT
chmod 755 "$new"

# The name of the library package carries the version of Rust, and that of LLVM its own: look both up.
first_of() { # the first match of pattern $2 among what package $1 depends on
    grep -om1 "$2" <<<"$(apt-cache depends "$1" 2>/dev/null)" ||
        { echo "error: no package $1 that fits is known here; try 'apt-get update'" >&2; return 1; }
}
std=$(first_of libstd-rust-web-dev 'libstd-rust-web-[0-9.]*[0-9]')
llvm=$(first_of "$std" 'libllvm[0-9]*')
(
    cd "$work"
    apt-get -qq -o APT::Sandbox::User=root download rustc-web "$std" libstd-rust-web-dev rust-web-src cargo-web "$llvm" \
        libgit2-1.5 libhttp-parser2.9 libmbedtls14 libmbedx509-1 libmbedcrypto7 libpcre3 wasi-libc >&2
    for package in *.deb; do dpkg -x "$package" unpacked; done
)
usr=$work/unpacked/usr

# The compiler, with the linkers as links: rust-lld finds its libraries beside itself.
mkdir -p "$new"/bin "$new/lib/rustlib/src/rust" "$new/lib/rustlib/$host/bin"
cp "$usr"/bin/{rustc,cargo,rustdoc} "$new/bin/"
cp -a "$usr"/lib/x86_64-linux-gnu/*.so* "$new/lib/"
# Some packages still unpack beside /usr.
find "$work/unpacked/lib" -name '*.so*' -exec cp -a {} "$new/lib/" \; 2>/dev/null || true
if missing=$(LD_LIBRARY_PATH=$new/lib ldd "$new/bin/cargo" "$new/bin/rustc" | grep 'not found'); then
    printf 'error: the toolchain lacks libraries that this machine does not have either; add their packages to this script\n%s\n' "$missing" >&2
    exit 1
fi
cp -a "$usr/lib/rustlib/$host/." "$new/lib/rustlib/$host/"
find "$new/lib/rustlib/$host/lib" -name '*.so' -xtype l -delete
find "$usr/lib/x86_64-linux-gnu" -name 'libstd-*.so' -exec cp {} "$new/lib/rustlib/$host/lib/" \;
cp -a "$usr"/src/rustc-*/library "$new/lib/rustlib/src/rust/"
ln -sfn "$linkers"/{rust-lld,wasm-component-ld,gcc-ld} "$new/lib/rustlib/$host/bin/"

# libc for the target, then std: built once, and put where rustup would put it.
lib=$new/lib/rustlib/$target/lib
mkdir -p "$lib/self-contained" "$work/empty/src"
cp "$usr"/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$lib/self-contained/"
echo '#![no_std]' >"$work/empty/src/lib.rs"
printf '[package]\nname = "empty_crate"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$work/empty/Cargo.toml"
(
    cd "$work/empty"
    unset CARGO_BUILD_TARGET CARGO_TARGET_DIR RUSTUP_TOOLCHAIN CARGO_ENCODED_RUSTFLAGS
    LD_LIBRARY_PATH=$new/lib RUSTC=$new/bin/rustc RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$new/lib/rustlib/src/rust=/rust" \
        "$new/bin/cargo" build -q --release --target "$target" -Zbuild-std=std,panic_abort >&2
    find "target/$target/release/deps" -name 'lib*.rlib' ! -name '*empty_crate*' -exec cp {} "$lib/" \;
)

# For use without rustup.
cat >"$new/bin/guest-cargo" <<'EOF'
#!/bin/sh
prefix=$(dirname "$(dirname "$(readlink -f "$0")")")
export LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" RUSTC="$prefix/bin/rustc" RUSTDOC="$prefix/bin/rustdoc"
exec "$prefix/bin/cargo" "$@"
EOF
chmod +x "$new/bin/guest-cargo"
echo "$recipe" >"$new/recipe"

rm -rf "$prefix"
mv "$new" "$prefix"
echo "$prefix"
