#!/usr/bin/env bash
# Holds a real host to its own description: the OpenAPI document is valid, and requests made up from it, valid and invalid, are
# answered without a 5xx and as the document says. Takes the folder of a built `clockbox`, and how many seconds; needs Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
clockbox=$(readlink -f "${1:-target/release}")/clockbox
seconds=${2:-60}
if ! command -v python3 >/dev/null || ! python3 -m venv target/schemathesis; then
    echo "skipped: there is no Python with venv here"
    exit 0
fi
target/schemathesis/bin/pip install --quiet 'schemathesis==4.32.*' openapi-spec-validator
tools=$PWD/target/schemathesis/bin

place=$(mktemp -d)
mkdir "$place/jobs"
cp plugins/prebuilt/hello.wasm plugins/prebuilt/counter.wasm "$place/jobs"
cat >"$place/clockbox.toml" <<'TOML'
[server]
listen = "127.0.0.1:0"
[plugins.counter]
allow = { state = true }
[jobs.greet]
plugin = "hello"
trigger = { interval = "1h" }
[jobs.count]
plugin = "counter"
trigger = { interval = "1h" }
TOML
"$clockbox" run "$place" 2>"$place/host.log" &
host=$!
trap 'kill $host 2>/dev/null; rm -rf "$place"' EXIT
url=""
for _ in $(seq 100); do
    url=$(sed -n 's/.*asked and changed at .* and \(http[^ ]*\)$/\1/p' "$place/host.log")
    [ -n "$url" ] && break
    sleep 0.2
done
[ -n "$url" ] || { cat "$place/host.log"; echo "error: the host does not say where it is asked"; exit 1; }
curl -sf "$url/v1/openapi.json" >"$place/api.json"
"$tools/openapi-spec-validator" "$place/api.json"
# What would end the host, or never ends by itself, is left out.
(cd "$place" && "$tools/st" run api.json --url "$url" --exclude-path-regex 'shutdown|drain|/v1/events|/v1/plugins/.name' \
    --checks not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance \
    --phases coverage,fuzzing --max-time "$seconds" --generation-deterministic) | tail -n 60
kill -0 $host || { tail "$place/host.log"; echo "error: the host is gone"; exit 1; }
curl -sf "$url/health/ready" >/dev/null
