"""Reads what is committed of a topic, from given offsets to where it ends now; one JSON object a line on stdout.

Keys, values and headers are in base64: they may be anything.
"""

import argparse
import base64
import json
import sys
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--topic", required=True)
    options.add_argument("--starts", required=True, help="JSON: offset by partition")
    options.add_argument("--timeout", type=float, default=30, help="seconds")
    given = options.parse_args()

    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": "nobody",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    starts = json.loads(given.starts)
    consumer.assign([TopicPartition(given.topic, int(number), offset) for number, offset in starts.items()])
    left = len(starts)
    end = time.monotonic() + given.timeout
    try:
        while left > 0 and time.monotonic() < end:
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error() is None:
                record = {
                    "partition": message.partition(),
                    "offset": message.offset(),
                    "key": text(message.key()),
                    "value": text(message.value()),
                    "headers": [[name, text(value)] for name, value in message.headers() or []],
                }
                print(json.dumps(record))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                left -= 1
            else:
                raise SystemExit(str(message.error()))
    finally:
        consumer.close()
    if left > 0:
        sys.exit(f"{left} partitions were not read to their end within {given.timeout} s")


main()
