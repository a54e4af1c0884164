"""Where topics end: for a reader of everything, and for one in read_committed. Prints one JSON object."""

import argparse
import json

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--topics", required=True, help="comma separated")
    given = options.parse_args()
    admin = AdminClient({"bootstrap.servers": given.bootstrap, "log_level": 2})
    known = admin.list_topics(timeout=30).topics
    places = [TopicPartition(t, p) for t in given.topics.split(",") if t in known for p in known[t].partitions]

    def ends(level):
        asked = admin.list_offsets({at: OffsetSpec.latest() for at in places}, isolation_level=level, request_timeout=30)
        return {(at.topic, at.partition): future.result().offset for at, future in asked.items()}

    everything = ends(IsolationLevel.READ_UNCOMMITTED)
    committed = ends(IsolationLevel.READ_COMMITTED)
    print(json.dumps([[t, p, end, committed[t, p]] for (t, p), end in everything.items()]))


main()
