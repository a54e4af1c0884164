"""Produces what it is told on stdin, one JSON object a line, by librdkafka's idempotent producer.

A line has a running number `n`, a `topic`, a `key`, and either an Avro `value` or `raw` bytes in base64; `headers` is how
many it shall have, and `partition` where it goes, if not where its key belongs. For each record
that the brokers have acknowledged, a line on stdout says `n`, its partition and its offset. It ends when stdin does.
"""

import argparse
import base64
import json
import os
import queue
import sys
import threading

from confluent_kafka import Producer

from registry import Registry, encode

WAITING_MAX = 20_000
PARENT = os.getppid()
# Wherever its key belongs.
PARTITION_UA = -1
TELLING = [("__proto__", b"polluted"), ("constructor", b"polluted")]


def read_lines(lines):
    for line in sys.stdin:
        lines.put(line)
    lines.put(None)


def headers_of(count):
    return TELLING + [(f"h{i}", b"%d" % i) for i in range(count - len(TELLING))] if count > 0 else None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--registry", required=True)
    given = options.parse_args()

    producer = Producer(
        {
            "bootstrap.servers": given.bootstrap,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            # A fault may last long: what was given is delivered, or the run fails at its end.
            "message.timeout.ms": 0,
            "socket.timeout.ms": 10_000,
            "reconnect.backoff.max.ms": 1_000,
            "topic.metadata.refresh.interval.ms": 5_000,
            "log_level": 2,
        }
    )
    registry = Registry(given.registry)
    schemas = {}
    lines = queue.Queue(WAITING_MAX)
    threading.Thread(target=read_lines, args=(lines,), daemon=True).start()
    acknowledged = []

    def delivered(n):
        def note(error, message):
            if error is not None:
                raise SystemExit(f"record {n} was not delivered: {error}")
            acknowledged.append(f'{{"n":{n},"partition":{message.partition()},"offset":{message.offset()}}}\n')

        return note

    def tell():
        if acknowledged:
            sys.stdout.write("".join(acknowledged))
            sys.stdout.flush()
            acknowledged.clear()

    while True:
        producer.poll(0)
        tell()
        try:
            line = lines.get(timeout=0.02)
        except queue.Empty:
            continue
        if line is None:
            break
        item = json.loads(line)
        topic = item["topic"]
        if "raw" in item:
            value = base64.b64decode(item["raw"])
        else:
            if topic not in schemas:
                schemas[topic] = registry.latest(f"{topic}-value")
            value = encode(*schemas[topic], item["value"])
        headers = headers_of(item.get("headers", 0))
        while True:
            try:
                producer.produce(
                    topic,
                    partition=item.get("partition", PARTITION_UA),
                    key=item["key"].encode(),
                    value=value,
                    headers=headers,
                    on_delivery=delivered(item["n"]),
                )
                break
            except BufferError:
                producer.poll(0.1)
    # Who started us may have been killed, and the brokers with it: nobody is left to tell.
    while producer.flush(0.2) > 0 and os.getppid() == PARENT:
        tell()
    tell()


main()
