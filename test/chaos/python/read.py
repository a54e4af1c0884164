"""Reads topics with librdkafka in read_committed, one JSON object a line on stdout.

From the offsets of `--from` up to the ends of now, or, with `--follow`, until stdin ends. `inputs`, `vectors`, `predictions`
and `letters` say what a judge needs of them, `plain` says key and value as text, without blanks at its end, `raw` the value in
base64; `latest` gives the newest value of each key, and what is deleted not at all.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
import threading

from confluent_kafka import Consumer, KafkaError, TopicPartition

from registry import Registry

PARENT = os.getppid()
ABOUT = "__dlq.errors."
# Of their records a letter says the place; letters of vectors carry it within.
STREAMS = {"fraud.transactions.v1", "fraud.labels.v1"}
# What may differ between two answers to one question: when, in which batch, from which copy of the vector.
PASSING = {"scoredAt", "batchId", "vectorOffset", "appendTime", "traceparent", "controlRevision"}


def of_prediction(registry):
    def tell(message):
        value = registry.decode(message.value())
        lasting = {name: inner for name, inner in value.items() if name not in PASSING}
        return {
            "key": message.key().decode(),
            "predictionId": value["predictionId"],
            "eventId": value["eventId"],
            "entity": value["entity"],
            "sourceTopic": value["sourceTopic"],
            "sourcePartition": value["sourcePartition"],
            "sourceOffset": value["sourceOffset"],
            "content": hashlib.sha1(repr(lasting).encode()).hexdigest(),
            "features": {n: v for n, v in value["features"].items() if v == v},
            "fallback": value["fallback"],
        }

    return tell


def of_input(registry):
    def tell(message):
        try:
            return {"id": registry.decode(message.value())["eventId"]}
        except Exception:  # What cannot be read has its name for a key.
            return {"id": message.key().decode()}

    return tell


def of_vector(registry):
    def tell(message):
        value = registry.decode(message.value())
        return {name: value[name] for name in ("sourceTopic", "sourcePartition", "sourceOffset")}

    return tell


def of_raw(message):
    return {"key": message.key().decode(), "value": base64.b64encode(message.value()).decode()}


def of_plain(message):
    return {"key": message.key().decode(), "value": message.value().decode().rstrip()}


def of_letter(registry):
    vector = of_vector(registry)

    def tell(message):
        letter = about_letter(message)
        if letter["topic"] in STREAMS:
            source = {"sourceTopic": letter["topic"], "sourcePartition": int(letter["partition"])}
            return {**source, "sourceOffset": int(letter["offset"]), "reason": letter["reason"]}
        # A vector that inference could not take: it says what it was made from.
        return {**vector(message), "reason": letter["reason"]}

    return tell


def about_letter(message):
    about = {n[len(ABOUT) :]: v.decode() for n, v in message.headers() or [] if n.startswith(ABOUT)}
    return about


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--registry", required=True)
    options.add_argument("--topic", required=True)
    options.add_argument("--as", dest="kind", choices=["inputs", "vectors", "predictions", "letters", "latest", "plain", "raw"], required=True)
    options.add_argument("--from", dest="starts", default="{}", help="offset by partition, as JSON; else 0")
    options.add_argument("--follow", default="no")
    given = options.parse_args()

    follow = given.follow == "yes"
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": "judge",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "socket.timeout.ms": 10_000,
            "reconnect.backoff.max.ms": 1_000,
            "log_level": 2,
        }
    )
    registry = Registry(given.registry)
    tellers = {
        "inputs": of_input,
        "vectors": of_vector,
        "predictions": of_prediction,
        "letters": of_letter,
        "plain": lambda _: of_plain,
        "raw": lambda _: of_raw,
    }
    tell = tellers.get(given.kind, of_prediction)(registry)
    partitions = consumer.list_topics(given.topic, timeout=30).topics[given.topic].partitions
    starts = json.loads(given.starts)
    consumer.assign([TopicPartition(given.topic, p, starts.get(str(p), 0)) for p in partitions])
    open_partitions = set(partitions)
    over = threading.Event()
    if follow:
        threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    latest = {}
    # Who started us may have been killed: nobody is left to tell.
    while not over.is_set() and (follow or open_partitions) and os.getppid() == PARENT:
        for message in consumer.consume(500, timeout=0.2):
            if message.error():
                if message.error().code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition())
                elif message.error().fatal() or not message.error().retriable() and not follow:
                    raise SystemExit(str(message.error()))
                continue
            where = (message.partition(), message.key())
            if given.kind == "latest":
                latest[where] = message.value()
                continue
            told = tell(message) if message.value() is not None else {}
            place = {"partition": message.partition(), "offset": message.offset(), "timeMs": message.timestamp()[1]}
            sys.stdout.write(json.dumps({**place, **told}) + "\n")
        sys.stdout.flush()
    for (partition, key), value in latest.items():
        if value is not None:
            entry = {"partition": partition, "key": key.decode(), "value": base64.b64encode(value).decode()}
            sys.stdout.write(json.dumps(entry) + "\n")
    consumer.close()


main()
