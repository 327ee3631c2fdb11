#!/usr/bin/env bash
# Whether .ci/deny.sh would notice: it is given databases of advisories made here, in the place of the real one, which not
# every machine can fetch. Takes seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

# A database of this name with one advisory, for every version of this crate.
database() {
    local folder=$made/$1 crate=$2
    mkdir -p "$folder/crates/$crate"
    {
        echo '```toml'
        printf '[advisory]\nid = "RUSTSEC-2000-0001"\npackage = "%s"\ndate = "2000-01-01"\nurl = "https://example.com"\n' "$crate"
        printf '[versions]\npatched = [">= 9999.0.0"]\n'
        echo '```'
        printf '\n# A hole that is made up\n\nIt stands for a real one.\n'
    } >"$folder/crates/$crate/RUSTSEC-2000-0001.md"
    git init --quiet --initial-branch main "$folder"
    git -C "${folder:?}" add .
    git -C "${folder:?}" -c user.name=test -c user.email=test@example.com commit --quiet --message advisory
}

# Runs deny.sh over the database of this name, kept apart from the one that this user has.
deny() {
    sed "s#^\[advisories\]#&\ndb-path = \"$made/$1.dbs\"#" deny.toml >"$made/$1.toml"
    DENY_CONFIG=$made/$1.toml GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.file://$made/$1.insteadOf \
        GIT_CONFIG_VALUE_0=https://github.com/RustSec/advisory-db .ci/deny.sh Cargo.toml >"$made/$1.log" 2>&1
}

fail() {
    cat "$made/$1.log"
    echo "error: deny.sh: $2" >&2
    exit 1
}

database hole wasmtime
database other a-crate-that-nobody-depends-on

if deny hole; then fail hole "a known vulnerability is let through"; fi
grep -q 'RUSTSEC-2000-0001' "$made/hole.log" || fail hole "the vulnerability is not named"
grep -q 'wasmtime [0-9]' "$made/hole.log" || fail hole "the crate is not named"

deny other || fail other "it fails where nothing is known against any crate"
grep -q 'advisories ok' "$made/other.log" || fail other "advisories are not looked at"

deny none || fail none "it fails where the database cannot be fetched"
grep -q 'were NOT checked' "$made/none.log" || fail none "nothing says that advisories were not looked at"

echo "deny.sh: a known vulnerability fails, none passes, and a database that cannot be fetched is told"
