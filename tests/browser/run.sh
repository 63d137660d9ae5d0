#!/usr/bin/env bash
# Walks through the learner's pages in a real browser: starts the demo site on scratch data and free ports, runs
# run.mjs against it and stops it again.
#
#   tests/browser/run.sh [STOA]        STOA defaults to bin/stoa
#
# Pictures go to STOA_ARTIFACTS, tests/browser/artifacts without it. Needs node 20, Chromium (CHROMIUM names it) and
# curl; the packages of this folder are installed when they are missing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
stoa=${1:-$root/bin/stoa}
[ -x "$stoa" ] || { echo "run.sh: no program at $stoa: make build" >&2; exit 2; }
stoa=$(cd "$(dirname "$stoa")" && pwd)/$(basename "$stoa")

[ -d "$here/node_modules/playwright-core" ] || (cd "$here" && npm ci --no-audit --no-fund --loglevel=error)

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

folder=$(mktemp -d "${TMPDIR:-/tmp}/stoa-browser-XXXXXX")
lms=$(free_port)
studio=$(free_port)
pid=
stop() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap stop EXIT

# Nothing of the caller's own settings reaches the server.
(
    filter=${STOA_LOG_FILTER:-warn}
    for name in $(compgen -e STOA_); do unset "$name"; done
    export STOA_DATA_DIR="$folder/data" STOA_LMS_BIND="127.0.0.1:$lms" STOA_STUDIO_BIND="127.0.0.1:$studio"
    export STOA_LOG_FILTER="$filter"
    exec "$stoa" demo
) >"$folder/log" 2>&1 &
pid=$!
for _ in $(seq 600); do
    curl -fsS -o /dev/null "http://127.0.0.1:$lms/heartbeat" 2>/dev/null && break
    kill -0 "$pid" 2>/dev/null || { echo "run.sh: the server has ended:" >&2; cat "$folder/log" >&2; exit 1; }
    sleep 0.1
done

status=0
(cd "$here" && STOA_STUDIO="http://127.0.0.1:$studio" node run.mjs "http://127.0.0.1:$lms" ada@example.com stoa-demo) || status=$?
grep -E "ERROR|WARN|panicked" "$folder/log" || true
exit "$status"
