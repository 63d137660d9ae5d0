#!/usr/bin/env bash
# course.sh STOA ARCHIVE RECORDING: imports ARCHIVE and compares what is stored, then what its export writes, with the
# recordings RECORDING.ndjson.gz and RECORDING.export.ndjson.gz (golden/olx/README.md). Differences that meant.txt lists
# are shown and pass.
set -euo pipefail
stoa="$1" archive="$2" recording="$3"
tools="$(dirname "$recording")"
here="$(dirname "${BASH_SOURCE[0]}")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# The lines of differences that are not meant; empty when all agree.
unexplained() {
  grep -vE '^[a-z]+ +[0-9]+/[0-9]+ agree' "$1" | grep -v '^$' | while IFS= read -r line; do
    meant=
    while read -r name kind what; do
      [[ "$name" = "#" || -z "$what" ]] && continue
      [[ "$name" = "*" || "$name" = "$(basename "$recording")" ]] || continue
      [[ "$line" =~ ^$kind[[:space:]] && "$line" = *"$what"* ]] && meant=1
    done < "$here/meant.txt"
    [ -n "$meant" ] && echo "meant: $line" >&2 || printf '%s\n' "$line"
  done
}

check() { # check NAME COMMAND…
  local out="$work/$1.txt"; shift
  "$@" > "$out" 2>&1 || true
  cat "$out"
  grep -qE '[0-9]+/[0-9]+ agree' "$out" || { echo "nothing was compared"; exit 1; }
  [ -z "$(unexplained "$out")" ] || exit 1
}

check stored python3 "$tools/compare.py" --stoa "$stoa" --course "$archive" "$recording.ndjson.gz" -v
[ -e "$recording.export.ndjson.gz" ] || { echo "no recorded export"; exit 0; }
export STOA_DATA_DIR="$work/data"
"$stoa" migrate > /dev/null
key="$("$stoa" course import "$archive" --json | tail -n 1 | python3 -c 'import json,sys; print(json.load(sys.stdin)["course_key"])')"
"$stoa" course export "$key" "$work/out" > /dev/null
check exported python3 "$tools/compare_export.py" "$work/out" "$recording.export.ndjson.gz" -v
