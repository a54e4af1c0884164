"""Leaves a batch without records in a compacted topic, with one behind it that is larger than a fetch.

One producer writes every key and is gone. Another overwrites all of them, in transactions, in later segments. Of the first
one's batch the cleaner keeps the shell, for the sake of its sequence numbers. The cleaner also joins segments, so that
readers would fetch the shell together with records: not so here, where the next batch has one record that nobody
overwrites and that no fetch has room for beside it. Prints the newest value of each key.
"""

import argparse
import json
import time

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

KEYS = 50
ROUNDS = 4
LARGE = "large"
LARGE_BYTES = 3 << 20
CLEAN_S_MAX = 90


def first_offset(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "chaos-compacted", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        while True:
            message = consumer.poll(5)
            if message is None:
                continue
            if message.error():
                return 0 if message.error().code() == KafkaError._PARTITION_EOF else -1
            return message.offset()
    finally:
        consumer.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--topic", required=True)
    given = options.parse_args()
    server = {"bootstrap.servers": given.bootstrap, "linger.ms": 200, "message.max.bytes": LARGE_BYTES + (1 << 20)}

    first = Producer({**server, "enable.idempotence": True})
    for key in range(KEYS):
        first.produce(given.topic, key=f"k{key}", value="old", partition=0)
    first.flush(30)
    second = Producer({**server, "transactional.id": "chaos-compacted"})
    second.init_transactions(30)
    newest = {}
    for number in range(ROUNDS):
        # Longer than a segment may last: the next record begins another.
        time.sleep(1.5)
        second.begin_transaction()
        if number == 0:
            newest[LARGE] = "x" * LARGE_BYTES
            second.produce(given.topic, key=LARGE, value=newest[LARGE], partition=0)
        for key in range(KEYS):
            newest[f"k{key}"] = f"{number}"
            second.produce(given.topic, key=f"k{key}", value=f"{number}", partition=0)
        second.commit_transaction(30)
    end = time.monotonic() + CLEAN_S_MAX
    while first_offset(given.bootstrap, given.topic) < KEYS:
        if time.monotonic() > end:
            raise SystemExit(f"the cleaner has not come within {CLEAN_S_MAX} s")
        time.sleep(1)
    print(json.dumps(newest))


main()
