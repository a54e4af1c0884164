"""Produces events, one JSON object a line on stdin, as any client of Kafka may.

Prints one JSON object: for each event id the partition that took it.
"""

import argparse
import json
import sys

from confluent_kafka import Producer

from registry import Registry, encode


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--registry", required=True)
    options.add_argument("--topic", required=True)
    options.add_argument("--key", required=True, help="field of the event that is the key")
    options.add_argument("--partitioner", help="default: that of librdkafka")
    given = options.parse_args()

    settings = {"bootstrap.servers": given.bootstrap, "enable.idempotence": True}
    if given.partitioner:
        settings["partitioner"] = given.partitioner
    producer = Producer(settings)
    schema_id, schema = Registry(given.registry).latest(f"{given.topic}-value")
    taken = {}

    def delivered(event_id):
        def note(error, message):
            if error is not None:
                raise SystemExit(f"{event_id} was not delivered: {error}")
            taken[event_id] = message.partition()

        return note

    for line in sys.stdin:
        event = json.loads(line)
        producer.produce(
            given.topic,
            key=event[given.key].encode(),
            value=encode(schema_id, schema, event),
            on_delivery=delivered(event["eventId"]),
        )
        producer.poll(0)
    if producer.flush(30) > 0:
        raise SystemExit("the broker has not acknowledged all events within 30 s")
    print(json.dumps(taken))


main()
