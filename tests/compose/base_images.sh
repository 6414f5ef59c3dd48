#!/bin/sh
# The base images that docker/ and docker-compose.yaml name: pulled, or where no image registry
# answers, made of the same names from Debian's packages (root, debootstrap; two minutes).
set -eu
cd "$(dirname "$0")/bases"

have() {
    docker image inspect "$1" >/dev/null 2>&1 || timeout 60 docker pull -q "$1" >/dev/null 2>&1
}

make_debian() {
    root=$(mktemp -d)
    debootstrap --variant=minbase bookworm "$root" >"$root.log" || { tail "$root.log"; exit 1; }
    # The machine's own certificates: its way to the package registries may pass a proxy.
    certificates=/etc/ssl/certs/ca-certificates.crt
    install -D "$certificates" "$root$certificates"
    install "$certificates" "$root/etc/ssl/machine.crt"
    tar -C "$root" -c . | docker import -c "ENV SSL_CERT_FILE=$certificates" - "$1" >/dev/null
    rm -rf "$root" "$root.log"
}

for image in python:3.11-slim-bookworm postgres:15-bookworm redis:7-bookworm; do
    if ! have "$image"; then
        have debian:bookworm-slim || make_debian debian:bookworm-slim
        docker build -q -t "$image" -f "${image%%:*}.Dockerfile" . >/dev/null
    fi
    docker image inspect -f "$image {{.Size}} bytes" "$image"
done
