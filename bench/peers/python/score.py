"""A peer: confluent-kafka, fastavro and ONNX Runtime in one loop, one call of the engine for each batch consumed."""
import hashlib
import io
import json
import signal
import struct
import sys
import time
from operator import itemgetter

import fastavro
import numpy
from confluent_kafka import Consumer, KafkaException, Producer

from job import Job, plain

BATCH_MAX = 500
WAIT_S = 0.05
INIT_S = 30

job = Job(sys.argv[1])
reads, writes = fastavro.schemaless_reader, fastavro.schemaless_writer
in_schema = fastavro.parse_schema(plain(json.loads(job.inSchema)))
out_schema = fastavro.parse_schema(plain(json.loads(job.outSchema)))
shared = [f["name"] for f in out_schema["fields"] if f["name"] in {g["name"] for g in in_schema["fields"]}]
head = b"\0" + struct.pack(">i", job.outSchemaId)
session, tensors, columns = job.session(), job.tensors(), job.columns()
names = [output["name"] for output in job.model["outputs"]]
values_of = itemgetter(*job.model["features"])
constants = {
    "model": job.model["name"], "modelVersion": job.model["version"], "modelDigest": job.model["sha256"],
    "controlRevision": 1, "route": "default", "routeVersion": 1, "review": False, "engine": "cpu",
    "arm": "champion", "role": "answer", "fallback": None, "stale": False, "seq": 0, "final": True, "supersedes": None,
}

consumer = Consumer({
    "bootstrap.servers": job.bootstrap, "group.id": job.group, "auto.offset.reset": "earliest",
    "enable.auto.commit": False, "isolation.level": "read_committed",
})
settings = {"bootstrap.servers": job.bootstrap, "acks": "all", "linger.ms": 20, "batch.size": 256 * 1024}
if job.exactlyOnce:
    settings["transactional.id"] = job.group
producer = Producer(settings)
failures = []
over = False
opened = False


def stop(*_):
    global over
    over = True


def delivered(error, _message):
    if error is not None:
        failures.append(error)


def commit():
    global opened
    if not opened:
        return
    positions = [one for one in consumer.position(consumer.assignment()) if one.offset >= 0]
    if job.exactlyOnce:
        producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata())
        producer.commit_transaction()
    else:
        producer.flush()
        if failures:
            raise KafkaException(failures[0])
        consumer.commit(offsets=positions, asynchronous=False)
    opened = False


def prediction(vector, outputs, offset, batch_id):
    event_id, run = vector["eventId"], vector["runId"]
    text = f"{job.pipeline}\0{event_id}\0{vector['revision']}\0{run}\0answer\x000"
    score = outputs[0]
    return {
        **{name: vector[name] for name in shared},
        **constants,
        "predictionId": hashlib.sha256(text.encode()).hexdigest()[:32],
        "scoredAt": int(time.time() * 1000),
        "outputs": dict(zip(names, outputs)),
        "decision": job.decision(score),
        "kpis": {"expectedLoss": score * vector["event"]["amount"]},
        "vectorOffset": offset,
        "batchId": batch_id,
    }


def produce(message, value):
    while True:
        try:
            return producer.produce(
                job.outTopic, value, message.key(), partition=message.partition(), on_delivery=delivered
            )
        except BufferError:
            producer.poll(0.01)


def answer(messages, batch_id):
    global opened
    vectors = [reads(io.BytesIO(message.value()[5:]), in_schema, None) for message in messages]
    data = numpy.array([values_of(vector["features"]) for vector in vectors], dtype=numpy.float32)
    found = session.run(tensors, {job.model["input"]: data})
    outputs = numpy.stack([found[tensor][:, column] for tensor, column in columns], axis=1).tolist()
    if not opened and job.exactlyOnce:
        producer.begin_transaction()
    opened = True
    for message, vector, row in zip(messages, vectors, outputs):
        into = io.BytesIO()
        into.write(head)
        writes(into, out_schema, prediction(vector, row, message.offset(), batch_id))
        produce(message, into.getvalue())
    producer.poll(0)


def main():
    signal.signal(signal.SIGTERM, stop)
    if job.exactlyOnce:
        producer.init_transactions(INIT_S)
    consumer.subscribe([job.inTopic], on_revoke=lambda *_: commit())
    committed = time.monotonic()
    calls = 0
    while not over:
        messages = consumer.consume(BATCH_MAX, WAIT_S)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
        if messages:
            calls += 1
            answer(messages, f"{job.contestant}/{calls}")
        if time.monotonic() - committed >= job.commitMs / 1000:
            commit()
            committed = time.monotonic()
    commit()
    consumer.close()


main()
