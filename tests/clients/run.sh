#!/bin/sh
# Runs real clients with the scripts they bring against a server: tests/clients/run.sh PORT [FOLDER]. Their packages are installed
# in the folder (by default below the system's temporary one), once. Each half is left out where npm or python3 is missing.
set -u
port=$1
folder=${2:-${TMPDIR:-/tmp}/resplay-clients}
here=$(cd "$(dirname "$0")" && pwd)
status=0
mkdir -p "$folder"
if command -v npm >/dev/null; then
    cp "$here/package.json" "$here/queue.mjs" "$folder"
    [ -d "$folder/node_modules" ] || (cd "$folder" && npm install --no-audit --no-fund --loglevel=error) || exit 1
    (cd "$folder" && timeout 60 node queue.mjs "$port") || status=1
fi
if command -v python3 >/dev/null; then
    [ -d "$folder/python" ] || python3 -m pip install -q --target "$folder/python" -r "$here/requirements.txt" || exit 1
    PYTHONPATH="$folder/python" timeout 60 python3 "$here/locks.py" "$port" || status=1
fi
exit $status
