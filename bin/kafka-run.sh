#!/bin/sh
# Runs one of Kafka's tools by its name: kafka-run.sh kafka-topics --list …
# Uses the Node pinned by a clone where there is one, else the machine's.
directory=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
node="$directory/../node_modules/node/bin/node"
[ -x "$node" ] || node=node
exec "$node" "$directory/samsa.mjs" "$@"
