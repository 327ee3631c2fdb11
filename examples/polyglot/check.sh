#!/usr/bin/env bash
# Does what README.md says, in a folder that is made for it and removed again: builds the plugins, serves their web on a free port, runs
# a host until each job of clockbox.toml has succeeded, and looks at what came out. A plugin whose tools are missing is named and left
# out, with its jobs; a job that fails is an error, and its log is shown.
#
# usage: examples/polyglot/check.sh CLOCKBOX       the binary, such as target/release/clockbox; needs Python 3.11 or later
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# = 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
clockbox=$(readlink -f "$1")
python=$(command -v python3) || { echo "skipped: python3 is missing, which serves the web of the examples"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

POLYGLOT_TOOLS=$("$here/../../.ci/polyglot-tools.sh")
export POLYGLOT_TOOLS
"$here/build.sh" "$work/jobs" | tee "$work/built"
cp -r "$here/data" "$work/data"
mapfile -t skipped < <(sed -n 's/^\([^:]*\): skipped: .*/\1/p' "$work/built")
"$python" "$here/check.py" "$clockbox" "$work" ${skipped[@]+"${skipped[@]}"}
