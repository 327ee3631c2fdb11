#!/usr/bin/env bash
# Whether a run has become dearer, in instructions: no clock is involved, so a busy machine is as good as an idle one.
# Valgrind's callgrind counts two lengths of each scenario of the bench `instructions`; their difference is the runs
# alone, without start and compilation. `host/benches/instructions/baseline.toml` says what they may cost.
#
#   .ci/instructions.sh                      counts, compares, and fails when a scenario is over its limit
#   .ci/instructions.sh --update             writes what was counted into the baseline
#   .ci/instructions.sh --profile SCENARIO   where the instructions of a run go, function by function
#
# INSTRUCTIONS_PROGRAM names a bench program that is built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
baseline=host/benches/instructions/baseline.toml
scenarios=(core sqlite run bare whole)
short=1000 long=3000

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

command -v valgrind >/dev/null || fail "valgrind is missing: install it (apt-get install valgrind)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

program=${INSTRUCTIONS_PROGRAM:-}
if [ -z "$program" ]; then
    program=$(cargo bench --locked -p clockbox --bench instructions --no-run \
        --message-format=json-render-diagnostics | sed -n 's/.*"executable":"\([^"]*\/instructions-[^"]*\)".*/\1/p')
fi
[ -x "$program" ] || fail "there is no bench program at \"$program\""

# The first processor of those that are allowed: a scheduler has as many threads for guests as there are processors.
processor=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
# The C library copies with what the processor is best at; and a `rep movsb` counts once for each byte. Without these it
# takes the code that every x86-64 has.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-SSSE3,-SSE4_1,-SSE4_2,-ERMS,-FSRM

# callgrind SCENARIO RUNS FILE: prints the number of instructions, and leaves the profile in FILE.
callgrind() {
    local count
    taskset -c "$processor" valgrind --tool=callgrind --callgrind-out-file="$3" "$program" "$1" "$2" \
        >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "scenario $1 failed with $2 runs"; }
    count=$(sed -n 's/^==[0-9]*== Collected : \([0-9]*\)$/\1/p' "$work/log")
    [ -n "$count" ] || { cat "$work/log" >&2; fail "valgrind printed no count of scenario $1"; }
    echo "$count"
}

# functions FILE [OPTION]: instructions and name of each function of a profile, without those of its file.
functions() {
    callgrind_annotate --threshold=100 "${@:2}" "$1" | sed -nE \
        -e "s/^ *([0-9,]+) \(.*%\)  [^:]*:(.*)$/\1 \2/" -e T -e "s/'[0-9]+//; s/ \[[^]]*\]$//" -e 'p'
}

# profile TITLE [OPTION]: the functions with the most instructions in a run.
profile() {
    local names=cat
    command -v c++filt >/dev/null && names=c++filt
    for length in $short $long; do functions "$work/$length" "${@:2}" >"$work/$length.functions"; done
    printf '%10s  %s\n' instr. "$1"
    awk -v runs=$((long - short)) '
        { count = $1; gsub(",", "", count); sub(/^[^ ]* /, "") }
        FNR == NR { total[$0] -= count; next }
        { total[$0] += count }
        END { for (name in total) if (total[name] >= runs) printf "%10.0f  %s\n", total[name] / runs, name }' \
        "$work/$short.functions" "$work/$long.functions" | sort -rn | sed 50q | $names
}

if [ "${1:-}" = --profile ]; then
    [ $# = 2 ] || fail "--profile takes a scenario: ${scenarios[*]}"
    for length in $short $long; do callgrind "$2" "$length" "$work/$length" >/dev/null; done
    profile "of a run, in each function itself"
    profile "of a run, with what the function calls" --inclusive=yes
    exit
fi
[ $# = 0 ] || [ "$*" = --update ] || fail "\"$*\" is not understood: nothing, --update, or --profile SCENARIO"

for scenario in "${scenarios[@]}"; do
    few=$(callgrind "$scenario" $short /dev/null)
    many=$(callgrind "$scenario" $long /dev/null)
    echo "$scenario $(((many - few) / (long - short)))"
done >"$work/counted"

if [ "${1:-}" = --update ]; then
    # The values of [instructions]; all else stays, the comments too.
    awk 'FNR == NR { counted[$1] = $2; next }
         /^\[/ { section = $1 }
         section == "[instructions]" && $1 in counted { $0 = $1 " = " counted[$1] }
         { print }' "$work/counted" "$baseline" >"$work/baseline"
    cat "$work/baseline" >"$baseline"
fi

# What is counted elsewhere has nothing to do with the baseline; only ratios hold everywhere.
not_here="" guests_not_here=""
[ "$(uname -m)" = x86_64 ] || not_here="the baseline is of x86-64"
[ "$(printf '%s\n' 6.7 "$(uname -r)" | sort -V | head -1)" = 6.7 ] ||
    guests_not_here="the baseline is of a Linux with PAGEMAP_SCAN (6.7)"

awk -v not_here="$not_here" -v guests_not_here="$guests_not_here" '
    FNR == NR { counted[$1] = $2; order[++scenarios] = $1; next }
    /^ *(#|$)/ { next }
    /^\[/ { section = $1; next }
    # NAME = NUMBER, where a name of several words stands in quotes.
    { split($0, side, " = "); gsub("\"", "", side[1]); limit[section, side[1]] = side[2] + 0 }
    section == "[at-most]" { ratios[++ratio_count] = side[1] }
    END {
        percent = limit["[tolerance]", "percent"]
        printf "%-14s %12s %12s %9s\n", "a run", "instructions", "baseline", "change"
        for (n = 1; n <= scenarios; n++) {
            name = order[n]
            base = limit["[instructions]", name]
            if (base <= 0 || percent <= 0) { print "error: the baseline has no limit for " name; exit 1 }
            change = (counted[name] / base - 1) * 100
            why = not_here != "" || name ~ /^(core|sqlite)$/ ? not_here : guests_not_here
            verdict = "ok"
            if (why != "") verdict = "not compared: " why
            else if (change > percent) { verdict = "DEARER by more than " percent " %"; dearer = dearer " " name }
            else if (change < -percent) { verdict = "cheaper: lower the baseline"; cheaper = cheaper " " name }
            printf "%-14s %12d %12d %+8.1f%% %s\n", name, counted[name], base, change, verdict
        }
        printf "\n%-14s %12s %12s\n", "ratio", "counted", "at most"
        for (n = 1; n <= ratio_count; n++) {
            name = ratios[n]
            split(name, of, " / ")
            if (!(of[1] in counted && of[2] in counted)) { print "error: " name " is no ratio of scenarios"; exit 1 }
            ratio = counted[of[1]] / counted[of[2]]
            verdict = "ok"
            if (ratio > limit["[at-most]", name]) { verdict = "TOO HIGH"; dearer = dearer " " of[1] }
            printf "%-14s %12.2f %12.2f %19s\n", name, ratio, limit["[at-most]", name], verdict
        }
        if (cheaper != "") print "\n`.ci/instructions.sh --update` makes what was saved the new baseline:" cheaper
        if (dearer != "") {
            split(dearer, first, " ")
            print "\nerror: a run has become dearer:" dearer
            print "`.ci/instructions.sh --profile " first[1] "` says where the instructions go. If they are meant and worth it,"
            print "`.ci/instructions.sh --update` makes them the new baseline; the ratios are changed by hand."
            exit 1
        }
    }' "$work/counted" "$baseline"
