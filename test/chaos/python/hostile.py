"""Produces batches that no careful producer would send: of any codec, of any size, by librdkafka without its own limits.

A line on stdin is one batch: its `codec`, and `records` with a `topic`, a `key`, and an Avro `value`, `raw` text, filled up
with blanks to `size` bytes, or nothing, `count` times. For each record with a number `n` that was acknowledged a line says
`n`, its partition and its offset; at the end of a batch one says how many were taken, and how many refused, by error.
"""

import argparse
import json
import sys

from confluent_kafka import Producer

from registry import Registry, encode

GATHER_MS = 60_000
BYTES_MAX = 1_000_000_000
RECORDS_MAX = 1_000_000


def producer_of(bootstrap, codec):
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.codec": codec,
            "partitioner": "murmur2_random",
            "acks": "all",
            # All of it in one batch, whatever a broker says of that: it goes at the flush.
            "linger.ms": GATHER_MS,
            "batch.size": BYTES_MAX,
            "batch.num.messages": RECORDS_MAX,
            "message.max.bytes": BYTES_MAX,
            "queue.buffering.max.messages": RECORDS_MAX,
            "queue.buffering.max.kbytes": BYTES_MAX // 1000,
            "message.send.max.retries": 0,
            "log_level": 2,
        }
    )


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--registry", required=True)
    given = options.parse_args()
    registry = Registry(given.registry)
    schemas = {}

    def value_of(record):
        if "raw" in record:
            return record["raw"].encode().ljust(record.get("size", 0))
        if "value" not in record:
            return None
        topic = record["topic"]
        if topic not in schemas:
            schemas[topic] = registry.latest(f"{topic}-value")
        return encode(*schemas[topic], record["value"])

    for line in sys.stdin:
        batch = json.loads(line)
        taken, refused = 0, {}

        def delivered(n):
            def note(error, message):
                nonlocal taken
                if error is not None:
                    refused[error.name()] = refused.get(error.name(), 0) + 1
                    return
                taken += 1
                if n is not None:
                    print(json.dumps({"n": n, "partition": message.partition(), "offset": message.offset()}))

            return note

        producer = producer_of(given.bootstrap, batch["codec"])
        for record in batch["records"]:
            value = value_of(record)
            for _ in range(record.get("count", 1)):
                producer.produce(record["topic"], key=record["key"].encode(), value=value, on_delivery=delivered(record.get("n")))
        if producer.flush(60) > 0:
            raise SystemExit("the broker has not answered within 60 s")
        print(json.dumps({"taken": taken, "refused": refused}), flush=True)


main()
