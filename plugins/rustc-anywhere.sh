#!/bin/sh
# cargo's wrapper for rustc, for build.sh. Cargo tells crates apart by a hash in which the place of the repository takes part,
# and the hash reaches the bytes of a plugin. The name and version of a crate do as well.
rustc=$1
shift
case "$*" in
*"--target wasm32-wasip2"*)
    for arg; do
        shift
        case $arg in metadata=*) arg=metadata=$CARGO_PKG_NAME-$CARGO_PKG_VERSION ;; esac
        set -- "$@" "$arg"
    done
    ;;
esac
exec "$rustc" "$@"
