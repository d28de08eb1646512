#!/usr/bin/env bash
# Runs everything that CI runs, in this order, and stops at the first failure.
# It installs what the tests need and cannot bring along: the AWS CLI, boto3,
# pytest, PostgreSQL, and a C compiler for the race detector through apt, the
# JavaScript SDK and vitest through npm.
set -euo pipefail
cd "$(dirname "$0")"

step() { printf '\n== %s\n' "$*"; }
tool() { go tool -modfile=tools/go.mod "$@"; }

step 'what the tests need'
missing=()
[ -x /usr/bin/aws ] || missing+=(awscli)
/usr/bin/python3 -c 'import boto3' 2>/dev/null || missing+=(python3-boto3)
/usr/bin/python3 -c 'import pytest' 2>/dev/null || missing+=(python3-pytest)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
command -v curl >/dev/null || missing+=(curl)
command -v ps >/dev/null || missing+=(procps)
if [ ${#missing[@]} -gt 0 ]; then
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null ||
		{ echo "check.sh: install ${missing[*]}, then run it again" >&2; exit 1; }
fi
command -v npm >/dev/null || { echo 'check.sh: install Node.js 20 or newer with npm, then run it again' >&2; exit 1; }
for folder in conformance/javascript examples/javascript; do
	(cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
done

step gofumpt
unformatted=$(tool gofumpt -l .)
[ -z "$unformatted" ] || { printf 'run gofumpt on:\n%s\n' "$unformatted" >&2; exit 1; }

step 'go vet'
go vet ./...

step staticcheck
tool staticcheck ./...

step 'go mod tidy'
go mod tidy -diff
go -C tools mod tidy -diff

step 'tests with the race detector'
export SUPPORTD_CLIENTS=required SUPPORTD_POSTGRES=required SUPPORTD_FAILURE_DURATION=2m
# Ten minutes for a package, the default, are few on two busy processors.
CGO_ENABLED=1 go test -race -shuffle=on -timeout 40m ./...

step 'what the race detector leaves out'
go test -run WholePackOver100000 ./internal/check

# Counted, not timed: a run that ends by time now and then ends as a failure (golang/go#75804).
step 'short fuzz runs'
while read -r package target; do
	go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime 20000x
done < <(grep -rn --include='*_test.go' -oE '^func Fuzz[A-Za-z0-9]+' . | sed -E 's#^(.*)/[^/]+:[0-9]+:func (Fuzz.*)#\1 \2#' | sort)

step build
mkdir -p dist
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o dist/supportd ./cmd/supportd
ls -l dist/supportd | awk '{ printf "supportd is %.1f MB\n", $5 / 1e6 }'

# The Go example is a package of the module, whose tests have run already.
step examples
export SUPPORTD="$PWD/dist/supportd"
PATH="/usr/bin:$PATH" examples/aws-cli/test.sh
(cd examples/python && /usr/bin/python3 -m pytest -q -p no:cacheprovider)
(cd examples/javascript && npm test)
