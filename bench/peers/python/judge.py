"""
Judges answers with clients that are not ours: confluent-kafka (read_committed), fastavro, ONNX Runtime and hashlib.

  judge.py expect JOB FILE OFFSETS   scores every vector of the input topic from these offsets on (JSON, by partition),
                                     and writes what is expected to FILE
  judge.py answers JOB FILE OFFSETS  reads the output topic from these offsets, prints an account, and deletes what was
                                     read, so that rounds do not pile up on the disk
  judge.py vectors JOB FILE OFFSETS  reads vectors from these offsets and prints an account; FILE has those that are
                                     expected, row by row, as the bench folded them
"""
import hashlib
import io
import json
import sys
import zlib
from operator import itemgetter

import fastavro
import numpy
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from job import Job, plain

TOLERANCE = 1e-5
VECTOR_TOLERANCE = 1e-6
ROWS_MAX = 4096
READ_MAX = 2000
WAIT_S = 10


def committed(job, topic, offsets):
    """Every committed record from these offsets to the end of each partition."""
    consumer = Consumer({
        "bootstrap.servers": job.bootstrap, "group.id": "bench.judge", "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True,
    })
    consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in offsets.items()])
    left = set(offsets)
    while left:
        messages = consumer.consume(READ_MAX, WAIT_S)
        if not messages:
            raise TimeoutError(f"nothing came from {topic} within {WAIT_S} s")
        for message in messages:
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            else:
                raise KafkaException(error)
    consumer.close()


def delete(job, offsets):
    ends = [TopicPartition(job.outTopic, partition, OFFSET_END) for partition in offsets]
    admin = AdminClient({"bootstrap.servers": job.bootstrap})
    for deleted in admin.delete_records(ends).values():
        deleted.result()


def digest(values):
    return zlib.crc32(numpy.array(values, dtype=numpy.float32).tobytes())


def number_of(event_id):
    return int(event_id.removeprefix("bench-"))


def expect(job, path, offsets):
    schema = fastavro.parse_schema(plain(json.loads(job.inSchema)))
    session, tensors, columns = job.session(), job.tensors(), job.columns()
    values_of = itemgetter(*job.model["features"])
    where, numbers, digests, rows, scores = [], [], [], [], []

    def score():
        if not rows:
            return
        found = session.run(tensors, {job.model["input"]: numpy.array(rows, dtype=numpy.float32)})
        scores.append(numpy.stack([found[tensor][:, column] for tensor, column in columns], axis=1))
        rows.clear()

    for message in committed(job, job.inTopic, offsets):
        vector = fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), schema, None)
        where.append((message.partition(), message.offset()))
        numbers.append(number_of(vector["eventId"]))
        digests.append(digest(list(vector["features"].values())))
        rows.append(values_of(vector["features"]))
        if len(rows) == ROWS_MAX:
            score()
    score()
    numpy.savez(
        path, where=numpy.array(where), numbers=numpy.array(numbers), digests=numpy.array(digests),
        scores=numpy.concatenate(scores),
    )
    print(json.dumps({"records": len(numbers)}))


def is_right(job, found, wanted):
    """The fields of an answer beside its outputs; `wanted` is the digest of the vector."""
    if job.answers == "scores":
        return found["modelDigest"] == job.model["sha256"] and found["modelVersion"] == job.model["version"]
    if digest(list(found["features"].values())) != wanted:
        return False
    if job.answers == "copies":
        return True
    text = f"{job.pipeline}\0{found['eventId']}\0{found['revision']}\0{found['runId']}\0answer\x000"
    return (
        found["predictionId"] == hashlib.sha256(text.encode()).hexdigest()[:32]
        and found["modelDigest"] == job.model["sha256"]
        and found["decision"] == job.decision(next(iter(found["outputs"].values())))
        and found["review"] is False  # the bench's routes ask for none
    )


def answers(job, path, offsets):
    copies = job.answers == "copies"
    schema = fastavro.parse_schema(plain(json.loads(job.inSchema if copies else job.outSchema)))
    expected = numpy.load(path)
    numbers, digests, scores = expected["numbers"], expected["digests"], expected["scores"]
    rows = {(int(partition), int(offset)): row for row, (partition, offset) in enumerate(expected["where"])}
    partitions = expected["where"][:, 0]
    # A copy does not say which vector it is of, but has its number.
    places = {int(number): row for row, number in enumerate(numbers)} if copies else {}
    seen = numpy.zeros(len(rows), dtype=bool)
    given = numpy.zeros_like(scores)
    account = dict.fromkeys(("answers", "doubled", "foreign", "wrongFields"), 0)
    size = 0
    for message in committed(job, job.outTopic, offsets):
        account["answers"] += 1
        value = message.value()
        size += len(value)
        row = None
        if value[0] == 0 and (copies or int.from_bytes(value[1:5], "big") == job.outSchemaId):
            found = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
            number = number_of(found["eventId"])
            row = places.get(number) if copies else rows.get((message.partition(), found["vectorOffset"]))
        if row is None or number != numbers[row] or message.partition() != partitions[row]:
            account["foreign"] += 1
            continue
        if seen[row]:
            account["doubled"] += 1
            continue
        seen[row] = True
        given[row] = scores[row] if copies else list(found["outputs"].values())
        right = message.key() == found["entity"].encode() and is_right(job, found, digests[row])
        account["wrongFields"] += not right
    off = numpy.abs(given[seen] - scores[seen]) / numpy.maximum(1, numpy.abs(scores[seen]))
    account["missing"] = int((~seen).sum())
    # Written so that NaN is wrong.
    account["wrongScores"] = int((~(off <= TOLERANCE)).any(axis=1).sum())
    worst = float(off.max()) if off.size else 0.0
    account["bytesMean"] = round(size / max(1, account["answers"]))
    account["worstScore"] = worst if numpy.isfinite(worst) else None
    print(json.dumps(account))

    delete(job, offsets)


def row_of(job, event_id):
    """The payment's number, or None where the id is none of those that were sent."""
    digits = event_id.removeprefix(job.idPrefix)
    row = int(digits) if digits != event_id and digits.isdecimal() else -1
    return row if 0 <= row < job.records else None


def vectors(job, path, offsets):
    schema = fastavro.parse_schema(plain(json.loads(job.outSchema)))
    expected = numpy.fromfile(path, dtype="<f4").reshape(job.records, len(job.names)).astype(numpy.float64)
    given = numpy.zeros_like(expected)
    seen = numpy.zeros(job.records, dtype=bool)
    account = dict.fromkeys(("answers", "doubled", "foreign", "wrongFields"), 0)
    for message in committed(job, job.outTopic, offsets):
        account["answers"] += 1
        value = message.value()
        row = None
        if value is not None and value[0] == 0 and int.from_bytes(value[1:5], "big") == job.outSchemaId:
            found = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
            row = row_of(job, found["eventId"])
        if row is None:
            account["foreign"] += 1
            continue
        if seen[row]:
            account["doubled"] += 1
            continue
        seen[row] = True
        given[row] = [numpy.nan if found["features"][name] is None else found["features"][name] for name in job.names]
        account["wrongFields"] += not (
            message.key() == found["entity"].encode()
            and found["featureSet"] == job.featureSet
            and found["featureSetHash"] == job.featureSetHash
        )
    near = numpy.abs(given - expected) <= VECTOR_TOLERANCE * numpy.maximum(1, numpy.abs(expected))
    same = near | (numpy.isnan(given) & numpy.isnan(expected))
    account["missing"] = int((~seen).sum())
    account["wrongVectors"] = int((seen & ~same.all(axis=1)).sum())
    print(json.dumps(account))


what, job_file, file, given_offsets = sys.argv[1:5]
ways = {"expect": expect, "answers": answers, "vectors": vectors}
ways[what](Job(job_file), file, {int(p): offset for p, offset in json.loads(given_offsets).items()})
