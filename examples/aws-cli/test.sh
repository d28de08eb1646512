#!/usr/bin/env bash
# Runs ask.sh against a test server. SUPPORTD is the program.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
export HOME=$work # no configuration of the user's own

"${SUPPORTD:-supportd}" serve --test --listen 127.0.0.1:0 --test-listen 127.0.0.1:0 \
	--test-autopilot "$here/agent.yaml" >"$work/environment" 2>"$work/log" &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server || true; rm -rf "$work"' EXIT

for ((i = 0; i < 100; i++)); do
	grep -qs SUPPORTD_TEST_URL "$work/environment" && break # it may not be there yet
	sleep 0.1
done
. "$work/environment" || true
[ -n "${SUPPORTD_TEST_URL:-}" ] || { cat "$work/log" >&2; exit 1; }

cd "$work"
echo 'lp0 on fire' >printer.log
ASK_INTERVAL=0.2 "$here/ask.sh" 'Printer on fire' 'It says lp0.' 'PC LOAD LETTER' printer.log | tee conversation

expect() { # FILE TEXT
	grep -qF "$2" "$1" || { echo "test.sh: $1 does not have: $2" >&2; exit 1; }
}
expect conversation 'It says lp0.'
expect conversation 'What does the display say in case'
expect conversation '"PC LOAD LETTER" means that the paper is out.'
expect steps.txt '2. Put paper in.'
# The log of the test server has what was asked: one case, one reply.
curl -fsS "$SUPPORTD_TEST_URL/requests?operation=AddCommunicationToCase" >requests.json
[ "$(grep -o '"number"' requests.json | wc -l)" = 1 ] || { echo 'test.sh: want one reply' >&2; exit 1; }
echo 'test.sh: passed'
