"""Reads predictions whose event ids begin with a prefix, committed ones only; one JSON object a line on stdout."""

import argparse
import json
import math
import sys
import time

from confluent_kafka import Consumer, TopicPartition

from registry import Registry


def plain(value):
    """JSON has no NaN: a missing figure is null there."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--registry", required=True)
    options.add_argument("--topic", required=True)
    options.add_argument("--prefix", required=True)
    options.add_argument("--since", type=int, required=True, help="milliseconds since the epoch")
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--timeout", type=float, default=75, help="seconds")
    given = options.parse_args()

    registry = Registry(given.registry)
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": f"{given.prefix}-python",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(given.topic, timeout=10).topics[given.topic].partitions
    since = [TopicPartition(given.topic, number, given.since) for number in partitions]
    consumer.assign(consumer.offsets_for_times(since, timeout=10))
    seen = set()
    end = time.monotonic() + given.timeout
    try:
        while len(seen) < given.count and time.monotonic() < end:
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error():
                raise SystemExit(str(message.error()))
            prediction = registry.decode(message.value())
            if not prediction["eventId"].startswith(given.prefix):
                continue
            seen.add(prediction["predictionId"])
            print(json.dumps({**plain(prediction), "key": message.key().decode()}))
    finally:
        consumer.close()
    if len(seen) < given.count:
        sys.exit(f"{len(seen)} of {given.count} predictions within {given.timeout} s")


main()
