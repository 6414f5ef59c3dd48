#!/bin/sh
# The steps before any Python of ours can run; each says what it does, how long it took, and when
# it fails, one line on what to do. Called by the Makefile and by docker/Dockerfile.
set -u
uv_version=0.13.8
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

# step TEXT ADVICE COMMAND...: run quietly; on failure quote the last thing the command said.
step() {
    text=$1 advice=$2
    shift 2
    began=$(date +%s)
    printf '%s ... ' "$text"
    if "$@" >"$log" 2>&1; then
        printf '%s s\n' $(($(date +%s) - began))
    else
        printf 'failed\n'
        cp "$log" .setup.log
        fail "$advice (details in .setup.log): $(grep -iE 'error|cause|failed|mismatch' "$log" | tail -n 1 | cut -c1-200)"
    fi
}

python_311() {
    for name in python3.11 python3 python; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' \
            >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11 with venv on PATH: install it (Debian, Ubuntu: python3.11 python3.11-venv), then try again"
}

# uv reads its own variable; whoever has told pip of a mirror has told us.
[ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"

unreachable='the package registry could not be reached or lacks a file; check the network, or set PIP_INDEX_URL to a mirror'

case "$1" in
uv)
    [ "$(uname -sm)" = 'Linux x86_64' ] || fail "this runs on Linux x86_64, not on $(uname -sm): use 'make up' (containers)"
    python=$(python_311) || exit 1
    rm -rf .uv .uv.new
    step "uv $uv_version" "$unreachable" \
        sh -c '"$1" -m venv .uv.new && .uv.new/bin/pip install -q --disable-pip-version-check "uv==$2"' - "$python" "$uv_version"
    mv .uv.new .uv
    ;;
packages)
    uv=$2 venv=$3
    python=$(python_311) || exit 1
    [ -x "$venv/bin/python" ] || step "environment in $venv" 'no environment could be made' "$uv" venv -q --python "$python" "$venv"
    step 'packages of requirements.lock, each checked by its hash (first time: some minutes)' "$unreachable" \
        "$uv" pip sync -q --python "$venv/bin/python" --require-hashes --compile-bytecode requirements.lock
    ;;
case)
    uv=$2 venv=$3 lock=pipelines/use_cases/$4.lock
    [ ! -e "$lock" ] || step "packages of $4, each checked by its hash" "$unreachable" \
        "$uv" pip install -q --python "$venv/bin/python" --no-deps --require-hashes -r "$lock"
    ;;
project)
    uv=$2 venv=$3
    step 'this project' 'the project could not be installed' \
        "$uv" pip install -q --python "$venv/bin/python" --no-deps --no-build-isolation -e .
    ;;
esac
