"""Trains the fraud models on simulated payments and writes their model folders.

    node packages/pipelines/training/fraud/dataset.ts > fraud.csv
    python3 packages/pipelines/training/fraud/train.py fraud.csv packages/pipelines/models HASH COMMIT

HASH is the hash of the feature set, COMMIT the commit of the code that wrote the rows. Train days 37 to 99, test days
107 to 129: the week between them is the delay with which labels become known.
"""
import csv
import hashlib
import json
import pathlib
import sys

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 0
VERSION = "1"
CREATED = "2026-11-24T00:00:00Z"
GOLDEN = 8
TRAIN_DAYS = (37, 99)
TEST_DAYS = (107, 129)


def read(path):
    with open(path, newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        table = np.array([[float(x) for x in row] for row in rows])
    day, x, y = table[:, 0], table[:, 1:-1].astype(np.float32), table[:, -1].astype(int)
    chosen = lambda days: (day >= days[0]) & (day <= days[1])
    train, test = chosen(TRAIN_DAYS), chosen(TEST_DAYS)
    return header[1:-1], (x[train], y[train]), (x[test], y[test])


def quality(y, score):
    return {
        "rows": int(len(y)),
        "frauds": int(y.sum()),
        "aucRoc": round(float(roc_auc_score(y, score)), 4),
        "averagePrecision": round(float(average_precision_score(y, score)), 4),
        "brier": round(float(brier_score_loss(y, score)), 5),
    }


def card(name, title, kind, measured, features):
    table = "\n".join(f"| {key} | {value} |" for key, value in measured.items())
    return f"""---
license: apache-2.0
library_name: onnx
pipeline_tag: tabular-classification
tags: [fraud, simulated]
---

# {title}

{kind} It gives the probability that a card payment is a fraud.

## Use

For demonstrations, tests and benchmarks of Millrace, in the `fraud` pipeline. It has seen simulated payments only and
says nothing about real ones: do not decide about people with it.

## Data

Payments, labels and frauds simulated by `packages/pipelines/src/simulate/fraud.ts` (seed 20260105, 2,000 customers, 130
days). Features come from the code that serves them. Trained on days {TRAIN_DAYS[0]} to {TRAIN_DAYS[1]}, tested on days {TEST_DAYS[0]} to
{TEST_DAYS[1]}; the week between is the delay of the labels. No personal data, no protected attributes.

Inputs, in order: {", ".join(f"`{f}`" for f in features)}.

## Measured on the test days

| Figure | Value |
|---|---|
{table}

## Limits

Frauds of kinds that the simulation does not know are not found. Scores depend on windows of up to 37 days: in the first
weeks of a customer or a terminal they are less sharp. No calibration beyond what the training gives.

## Made by

`packages/pipelines/training/fraud/train.py`, seed {SEED}; versions in `requirements.txt` beside it.
"""


def write(folder, name, title, kind, model, data, hash_, commit):
    features, (x, y), (xt, yt) = data
    onnx = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, len(features)]))],
        options={id(model): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    onnx.producer_name, onnx.producer_version = "millrace", VERSION
    content = onnx.SerializeToString()
    session = onnxruntime.InferenceSession(content)
    ask = lambda rows: session.run(["probabilities"], {"features": rows})[0][:, 1]
    scores = ask(xt)
    worst = float(np.abs(scores - model.predict_proba(xt)[:, 1]).max())
    assert worst < 1e-4, f"{name}: the ONNX file differs from the estimator by {worst}"
    measured = quality(yt, scores)
    # Golden rows: spread over the scores, so that the high ones are among them.
    picked = np.argsort(scores)[np.linspace(0, len(scores) - 1, GOLDEN).astype(int)]
    target = pathlib.Path(folder) / name / VERSION
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(content)
    manifest = {
        "name": name,
        "version": VERSION,
        "file": "model.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "inputs": [{"name": "features", "type": "float32", "shape": ["N", len(features)]}],
        "features": features,
        "outputs": [{"name": "score", "tensor": "probabilities", "column": 1}],
        "featureSet": {"pipeline": "fraud", "version": 1, "hash": hash_},
        "providers": ["cpu"],
        "golden": {
            "rows": [[float(v) for v in xt[i]] for i in picked],
            "outputs": [[float(scores[i])] for i in picked],
            "tolerance": 1e-5,
        },
        "training": {"data": "simulated, packages/pipelines/training/fraud/dataset.ts", "seed": SEED, "commit": commit},
        "license": "Apache-2.0",
        "createdAt": CREATED,
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    (target / "MODEL_CARD.md").write_text(card(name, title, kind, measured, features))
    print(name, len(content), "bytes", measured, "worst difference", worst)


def main(data_path, folder, hash_, commit):
    data = read(data_path)
    _, (x, y), _ = data
    boosted = GradientBoostingClassifier(n_estimators=120, max_depth=4, learning_rate=0.1, subsample=0.5, random_state=SEED)
    small = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED))
    write(folder, "fraud", "Fraud, boosted trees", "Gradient-boosted trees (120 trees of depth 4).", boosted.fit(x, y), data, hash_, commit)
    write(folder, "fraud-small", "Fraud, logistic regression", "Logistic regression on standardised features, the fallback of `fraud`.", small.fit(x, y), data, hash_, commit)


if __name__ == "__main__":
    main(*sys.argv[1:5])
