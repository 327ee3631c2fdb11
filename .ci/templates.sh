#!/usr/bin/env bash
# From nothing to a first run in each language of `clockbox new`, as an author does it: new, and then what the project's README says,
# word for word: the tools of the first time, the language's own tests, build, run once. Prints how long each step takes, a line for
# each language; also for one that is skipped, and why.
#
# usage: .ci/templates.sh CLOCKBOX [LANGUAGE…]       the binary, such as target/release/clockbox; all languages
#
# Compilers that no README installs are those on PATH, else those that .ci/polyglot-tools.sh gets; Rust's is rustup's with the target
# wasm32-wasip2 where it is installed, else one of its own (.ci/guest-toolchain.sh). What tools and registries keep in their caches is
# taken from there; the plugin itself is compiled anew in the first run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
[ $# -ge 1 ] || { sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
clockbox=$(readlink -f "$1")
shift
languages=("$@")
[ $# -gt 0 ] || languages=(rust python javascript typescript go c zig)
tools=$("$root/.ci/polyglot-tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CLOCKBOX_SDK=$root/sdk
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET

mkdir "$work/bin"
cache=$work/cache
ln -s "$clockbox" "$work/bin/clockbox"
for program in go zig; do
    for found in "$tools/venv/bin/$program" "$tools/venv/bin/python-$program"; do
        command -v $program >/dev/null || [ ! -x "$found" ] || ln -sf "$found" "$work/bin/$program"
    done
done
# What a build makes is not to depend on a wasm-opt that happens to be there (clang runs any on PATH, and the names of functions are gone).
printf '#!/bin/sh\necho "error: the build ran wasm-opt" >&2\nexit 1\n' >"$work/bin/wasm-opt"
chmod +x "$work/bin/wasm-opt"
export PATH="$work/bin:$PATH"

# What the author's own tests need is not what builds the guest.
guest_path=$PATH
if [[ " ${languages[*]} " = *" rust "* ]] && command -v rustc >/dev/null \
    && ! compgen -G "$(rustc --print target-libdir --target wasm32-wasip2)/libstd-*.rlib" >/dev/null; then
    toolchain=$("$root/.ci/guest-toolchain.sh")
    mkdir "$work/guest-bin"
    ln -s "$toolchain/bin/guest-cargo" "$work/guest-bin/cargo"
    guest_path=$work/guest-bin:$PATH
fi

said() { # WHAT: the command that the README gives for it; nothing where it gives none
    sed -n "s/.*$1: \`\([^\`]*\)\`.*/\1/p" README.md
}

fail() { # LANGUAGE STEP WHY
    cat "$work/log"
    echo "error: $1: $2: $3" >&2
    exit 1
}

step() { # NAME COMMAND: whether it works, and in `times` how long it takes
    local begun=$EPOCHREALTIME ok=0
    echo "\$ $2" >>"$work/log"
    eval "$2" >>"$work/log" 2>"$work/stderr" </dev/null || ok=$?
    cat "$work/stderr" >>"$work/log"
    times[$1]=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $begun }")
    return $ok
}

skipped() { # whether the machine lacks what the language needs, as `clockbox build` tells it
    local status=0
    PATH=$guest_path clockbox build >/dev/null 2>"$work/stderr" </dev/null || status=$?
    [ $status = 2 ] && reason=$(sed -n 's/^error: \(not found: .*\)/\1/p' "$work/stderr") && [ -n "$reason" ]
}

row() { printf '%-11s %7s %7s %7s %7s %7s %7s\n' "$@"; }

row seconds new tools test build exec sum
declare -A times
for language in "${languages[@]}"; do
    times=()
    : >"$work/log"
    cd "$work"
    step new "clockbox new first-$language --lang $language" || fail "$language" new "it fails"
    cd "first-$language"
    tools_command=$(said 'The first time') test_command=$(said Test) build_command=$(said Build) exec_command=$(said 'Run once')
    [ -n "$test_command" ] && [ "$build_command" = "clockbox build" ] && [ -n "$exec_command" ] \
        || fail "$language" README.md "it does not say how to test, build and run"
    failed=""
    [ -z "$tools_command" ] || step tools "$tools_command" || failed=$tools_command
    [ -n "$failed" ] || step test "$test_command" || failed=$test_command
    [ -n "$failed" ] || PATH=$guest_path step build "$build_command" || failed=$build_command
    if [ -n "$failed" ]; then
        skipped || fail "$language" "$failed" "it fails"
        echo "$language: skipped: $reason"
        continue
    fi
    XDG_CACHE_HOME=$cache step exec "$exec_command" || fail "$language" "$exec_command" "it fails"

    # What came out: of the command of the README, and of the arguments in the description.
    count=""
    [ "$language" != rust ] || count=", for the 1. time"
    for greeting in Ada world; do
        command=$exec_command
        [ $greeting = Ada ] || command=${exec_command%% --args*}
        XDG_CACHE_HOME=$cache step check "$command --json >run.json" || fail "$language" "$command" "it fails"
        # What a command without an SDK prints is a line of its log; a job's output is JSON.
        case $language in
        zig) expected="\"message\": \"hello $greeting\"" ;;
        *) expected="\"output\": \"hello $greeting$count\"" ;;
        esac
        cat run.json >>"$work/log"
        grep -qF '"outcome": "succeeded"' run.json || fail "$language" "$command" "it does not succeed"
        grep -qF "$expected" run.json || fail "$language" "$command" "there is no $expected"
    done
    XDG_CACHE_HOME=$cache step check "clockbox check ." || fail "$language" "clockbox check" "it fails"

    sum=$(awk "BEGIN { printf \"%.1f\", ${times[new]} + ${times[tools]:-0} + ${times[test]} + ${times[build]} + ${times[exec]} }")
    row "$language" "${times[new]}" "${times[tools]:--}" "${times[test]}" "${times[build]}" "${times[exec]}" "$sum"
done
