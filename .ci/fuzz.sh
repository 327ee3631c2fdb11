#!/usr/bin/env bash
# Fuzzes what strangers write: `.ci/fuzz.sh [SECONDS] [TARGET]…` runs the targets (trigger, manifest, plugin; all if none is
# named) for so many seconds each (10 if nothing is said), `.ci/fuzz.sh FILE TARGET` repeats one input.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
what=${1:-10}
targets=("${@:2}")
[ "${#targets[@]}" -gt 0 ] || targets=(trigger manifest plugin)

out=${CARGO_TARGET_DIR:-target}/fuzz
target=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz passes, without the sanitizers, which stable Rust does not have: there is no unsafe code to watch.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"

# Puts what fuzzing begins with into the corpus.
seed() {
    local corpus=$2
    case $1 in
    trigger)
        cp host/core/fuzz/seeds/* "$corpus/"
        # Of the vectors every 20th line, as it stands; crontab strings also by themselves.
        awk -v to="$corpus" 'FNR % 20 == 1 { printf "jU%s", $0 > (to "/vector-" ++n); close(to "/vector-" n) }' \
            host/core/tests/vectors/*.jsonl
        sed -n 's/.*"expr": *"\([^"]*\)".*/\1/p' host/core/tests/vectors/crontab.jsonl | awk -v to="$corpus" \
            'FNR % 5 == 1 { printf "cU%s", $0 > (to "/crontab-" ++n); close(to "/crontab-" n) }'
        ;;
    manifest)
        cp host/fuzz/seeds/manifest/* "$corpus/"
        for file in examples/*/clockbox.toml; do
            { printf m && cat "$file"; } >"$corpus/$(basename "$(dirname "$file")")"
        done
        ;;
    plugin)
        cp host/fuzz/seeds/plugin/* "$corpus/"
        for file in tests/guests/*.wat; do
            cp "$file" "$corpus/"
        done
        ;;
    esac
}

for name in "${targets[@]}"; do
    folder=host/fuzz longest=4096
    [ "$name" != trigger ] || { folder=host/core/fuzz longest=400; }
    cargo build --release --locked --manifest-path $folder/Cargo.toml --target "$target" --target-dir "$out" \
        --bin "$name"
    fuzzer=$out/$target/release/$name
    [ ! -f "$what" ] || exec "$fuzzer" "$what"

    corpus=$out/corpus/$name artifacts=$out/artifacts
    mkdir -p "$corpus" "$artifacts"
    seed "$name" "$corpus"
    words=$folder/words.dict
    [ "$name" != manifest ] || words=$folder/manifest.dict
    [ "$name" != plugin ] || words=$folder/plugin.dict
    "$fuzzer" -max_total_time="$what" -timeout=2 -max_len=$longest -print_final_stats=1 \
        -artifact_prefix="$artifacts/$name-" -dict="$words" -verbosity=0 "$corpus"
done
