"""Who has the partitions of a topic: which member of a group reads them, by its client id, and which broker leads them.

Prints one JSON object. While the group is about to change it waits, for a while.
"""

import argparse
import json
import time

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

ASKED_S_MAX = 10
SETTLED_S_MAX = 5
AGAIN_S = 0.3


def members_of(admin, group, topic):
    until = time.monotonic() + SETTLED_S_MAX
    while True:
        found = admin.describe_consumer_groups([group], request_timeout=ASKED_S_MAX)[group].result()
        if found.state == ConsumerGroupState.STABLE or time.monotonic() > until:
            break
        time.sleep(AGAIN_S)
    return {
        member.client_id: sorted(at.partition for at in member.assignment.topic_partitions if at.topic == topic)
        for member in found.members
        if member.assignment is not None
    }


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--topic", required=True)
    options.add_argument("--group")
    given = options.parse_args()
    admin = AdminClient({"bootstrap.servers": given.bootstrap, "log_level": 2})
    partitions = admin.list_topics(given.topic, timeout=ASKED_S_MAX).topics[given.topic].partitions
    leaders = {number: known.leader for number, known in partitions.items()}
    print(json.dumps({"leaders": leaders, "members": members_of(admin, given.group, given.topic) if given.group else {}}))


main()
