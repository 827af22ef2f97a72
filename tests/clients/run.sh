#!/bin/sh
# Runs real clients with the scripts they bring: tests/clients/run.sh SERVER [FOLDER]. SERVER is the port of a server on this
# machine, or the path of resplay, which is started then. Packages are installed in the folder (by default below the system's
# temporary one), once. Each half is left out where npm or python3 is missing.
set -u
server=$1
folder=${2:-${TMPDIR:-/tmp}/resplay-clients}
here=$(cd "$(dirname "$0")" && pwd)
status=0
if [ -x "$server" ]; then
    port=$((20000 + $$ % 20000))
    "$server" serve --port "$port" --http-port 0 --save '' >/dev/null &
    started=$!
    trap 'kill $started 2>/dev/null' EXIT
    sleep 1
else
    port=$server
fi
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
