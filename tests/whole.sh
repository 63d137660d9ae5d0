#!/usr/bin/env bash
# Tests of the whole program: real processes, real clients, a real browser, and the recorded cases where their
# folder is present. Ends with the line `N passed, N failed`.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shared="${STOA_SHARED:-../shared}"
stoa="$PWD/bin/stoa"
passed=0 failed=0

run() { # run NAME COMMAND…: runs one, counts it, shows its output only where it fails
  local name="$1" log; shift
  log="$(mktemp)"
  local begun=$SECONDS
  if "$@" > "$log" 2>&1; then
    passed=$((passed + 1)); printf 'ok      %-40s %4d s\n' "$name" "$((SECONDS - begun))"
    [ "${SHOW:-}" = 1 ] && tail -n 25 "$log"
  else
    failed=$((failed + 1)); printf 'FAILED  %-40s %4d s\n' "$name" "$((SECONDS - begun))"; tail -n 60 "$log"
  fi
  rm -f "$log"
}

run "crash" python3 tests/crash/crash.py --stoa "$stoa"
run "race" python3 tests/race/race.py --stoa "$stoa" --rounds 300
run "browser" bash tests/browser/run.sh

if [ -d "$shared/golden" ]; then
  SHOW=1 run "vectors" python3 tests/vectors.py "$shared" bin/stoa-vectors
  for archive in "$shared"/corpora/*.tar.gz "$shared"/golden/olx/edge-cases.tar.gz; do
    name="$(basename "$archive" .tar.gz)"
    run "import: $name" bash tests/olx/course.sh "$stoa" "$archive" "$shared/golden/olx/$name"
  done
  SHOW=1 run "golden" python3 tests/golden/run.py --stoa "$stoa" --shared "$shared" --only courses
else
  echo "left out: recorded cases (no folder $shared/golden)"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
