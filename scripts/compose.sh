#!/bin/sh
# `docker compose`, or `docker-compose` where only that is there.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'compose: %s\n' "$1" >&2
    exit 1
}

docker info >/dev/null 2>&1 || fail "no Docker engine answers: install Docker and start it, or use 'make run', which needs none"
if docker compose version >/dev/null 2>&1; then
    exec docker compose "$@"
fi
command -v docker-compose >/dev/null || fail 'neither "docker compose" nor "docker-compose" is installed'
exec docker-compose "$@"
