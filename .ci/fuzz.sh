#!/usr/bin/env bash
# Fuzzes the triggers: `.ci/fuzz.sh [SECONDS]` (10 if nothing is said), or `.ci/fuzz.sh FILE` to repeat one input.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
what=${1:-10}

target=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz passes, without the sanitizers, which stable Rust does not have: there is no unsafe code to watch.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
cargo build --release --locked --manifest-path host/core/fuzz/Cargo.toml --target "$target" --target-dir target/fuzz
fuzzer=target/fuzz/$target/release/trigger
[ ! -f "$what" ] || exec "$fuzzer" "$what"

corpus=target/fuzz/corpus artifacts=target/fuzz/artifacts
mkdir -p $corpus $artifacts
cp host/core/fuzz/seeds/* $corpus/
# Of the vectors every 20th line, as it stands; crontab strings also by themselves.
awk -v to=$corpus 'FNR % 20 == 1 { printf "jU%s", $0 > (to "/vector-" ++n); close(to "/vector-" n) }' \
    host/core/tests/vectors/*.jsonl
sed -n 's/.*"expr": *"\([^"]*\)".*/\1/p' host/core/tests/vectors/crontab.jsonl | awk -v to=$corpus \
    'FNR % 5 == 1 { printf "cU%s", $0 > (to "/crontab-" ++n); close(to "/crontab-" n) }'
"$fuzzer" -max_total_time="$what" -timeout=1 -max_len=400 -print_final_stats=1 -artifact_prefix=$artifacts/ \
    -dict=host/core/fuzz/words.dict -verbosity=0 $corpus
