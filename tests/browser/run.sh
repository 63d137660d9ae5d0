#!/usr/bin/env bash
# The pages in headless Chromium against a server of its own: sets up the demo in a temporary folder, walks, stops it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
stoa="${STOA:-$PWD/bin/stoa}"
chromium="${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}"
[ -n "$chromium" ] || { echo "browser: no Chromium on this machine: apt-get install chromium"; exit 1; }

[ -d tests/browser/node_modules/playwright-core ] || (cd tests/browser && npm ci --no-audit --no-fund --loglevel=error)

folder="$(mktemp -d)"
read -r port studio_port < <(python3 -c 'import socket
pair = [socket.socket() for _ in range(2)]
for one in pair: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in pair])')
export STOA_DATA_DIR="$folder/data" STOA_LMS_BIND="127.0.0.1:$port" STOA_STUDIO_BIND="127.0.0.1:$studio_port"
"$stoa" demo > "$folder/log" 2>&1 &
server=$!
stop() { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$folder"; }
trap stop EXIT

for _ in $(seq 1 300); do
  curl --silent --fail --output /dev/null "http://127.0.0.1:$port/heartbeat" && break
  kill -0 "$server" 2>/dev/null || { cat "$folder/log"; exit 1; }
  sleep 0.2
done
course="$(sed -n 's|^Course .*/learning/course/\(.*\)/home$|\1|p' "$folder/log" | head -n 1)"
cd tests/browser
status=0
CHROMIUM="$chromium" STOA_ARTIFACTS="${STOA_ARTIFACTS:-../../artifacts/browser}" \
  node run.mjs "http://127.0.0.1:$port" ada@example.com stoa-demo "$course" || status=$?
[ "$status" = 0 ] || tail -n 30 "$folder/log"
exit "$status"
