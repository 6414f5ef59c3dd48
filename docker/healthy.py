"""Is this container's part well? `healthy.py URL` or `healthy.py URL KEY`; exit 0 says yes.

URL answers with 200; where a KEY of Airflow's health page is named, that process has beaten its
heart. `tcp://HOST:PORT` takes a connection. Standard library alone: it runs every few seconds.
"""

import json
import socket
import sys
from urllib.parse import urlsplit
from urllib.request import urlopen


def main() -> None:
    url, key = sys.argv[1], sys.argv[2:]
    address = urlsplit(url)
    if address.scheme == "tcp":
        socket.create_connection((address.hostname, address.port), timeout=5).close()
        return
    with urlopen(url, timeout=5) as answer:
        body = answer.read()
    if key and json.loads(body)[key[0]]["status"] != "healthy":
        sys.exit(f"{key[0]} is not healthy")


if __name__ == "__main__":
    main()
