"""Reads committed records of one partition from its beginning; one JSON object a line on stdout, bytes in hex."""

import argparse
import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


def hexed(value):
    return None if value is None else value.hex()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--topic", required=True)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--timeout", type=float, default=30, help="seconds")
    given = options.parse_args()

    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": f"{given.topic}-python",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "check.crcs": True,
        }
    )
    consumer.assign([TopicPartition(given.topic, 0, OFFSET_BEGINNING)])
    until = time.monotonic() + given.timeout
    left = given.count
    while left > 0:
        if time.monotonic() > until:
            sys.exit(f"{left} records did not come")
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            sys.exit(str(message.error()))
        headers = [[name, hexed(value)] for name, value in message.headers() or []]
        print(json.dumps({"key": hexed(message.key()), "value": hexed(message.value()), "headers": headers}))
        left -= 1
    consumer.close()


main()
