"""Two transactional producers take turns on the same partitions, and some of their transactions are aborted.

Lines as for `load.py`, with `writer` (0 or 1) and `commit` (whether its transaction will be). Transactions of the two
overlap: one begins before the other ends, so that records of both lie between each other. Only what was committed is
told on stdout.
"""

import argparse
import json
import sys

from confluent_kafka import Producer

from registry import Registry, encode

SIZE = 8


class Writer:
    def __init__(self, bootstrap, name):
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": f"chaos-writer-{name}",
                "partitioner": "murmur2_random",
                "log_level": 2,
            }
        )
        self.producer.init_transactions(60)
        self.places = []
        self.open = False
        self.count = 0

    def produce(self, item, value):
        if not self.open:
            self.producer.begin_transaction()
            self.open, self.places, self.count = True, [], 0
        self.count += 1
        n = item["n"]

        def note(error, message):
            if error is None:
                self.places.append(f'{{"n":{n},"partition":{message.partition()},"offset":{message.offset()}}}\n')

        self.producer.produce(item["topic"], key=item["key"].encode(), value=value, on_delivery=note)
        # Each record in a batch of its own: records of both writers alternate in the log.
        self.producer.flush(30)

    def end(self, commit):
        if not self.open:
            return
        self.open = False
        if commit:
            self.producer.commit_transaction(60)
            sys.stdout.write("".join(self.places))
            sys.stdout.flush()
        else:
            self.producer.abort_transaction(60)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--registry", required=True)
    given = options.parse_args()
    writers = [Writer(given.bootstrap, name) for name in ("a", "b")]
    registry = Registry(given.registry)
    schemas = {}
    commits = [True, True]
    for line in sys.stdin:
        item = json.loads(line)
        writer = writers[item["writer"]]
        if item["topic"] not in schemas:
            schemas[item["topic"]] = registry.latest(f"{item['topic']}-value")
        commits[item["writer"]] = item["commit"]
        writer.produce(item, encode(*schemas[item["topic"]], item["value"]))
        if writer.count == SIZE:
            writer.end(item["commit"])
    for writer, commit in zip(writers, commits):
        writer.end(commit)


main()
