FROM debian:bookworm-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends python3.11 python3.11-venv \
 && ln -s /usr/bin/python3.11 /usr/local/bin/python \
 && cp /etc/ssl/machine.crt /etc/ssl/certs/ca-certificates.crt \
 && rm -rf /var/lib/apt/lists/*
CMD ["python"]
