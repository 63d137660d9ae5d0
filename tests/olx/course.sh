#!/usr/bin/env bash
# course.sh STOA ARCHIVE RECORDING: imports ARCHIVE and compares what is stored, then what its export writes, with the
# recordings RECORDING.ndjson.gz and RECORDING.export.ndjson.gz (golden/olx/README.md).
set -euo pipefail
stoa="$1" archive="$2" recording="$3"
tools="$(dirname "$recording")"
python3 "$tools/compare.py" --stoa "$stoa" --course "$archive" "$recording.ndjson.gz" -v
[ -e "$recording.export.ndjson.gz" ] || { echo "no recorded export"; exit 0; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export STOA_DATA_DIR="$work/data"
"$stoa" migrate > /dev/null
key="$("$stoa" course import "$archive" --json | tail -n 1 | python3 -c 'import json,sys; print(json.load(sys.stdin)["course_key"])')"
"$stoa" course export "$key" "$work/out" > /dev/null
python3 "$tools/compare_export.py" "$work/out" "$recording.export.ndjson.gz" -v
