"""Trains the models of the pipelines credit and loans on the example data, and writes their model folders.

    python3 packages/pipelines/training/credit/train.py packages/pipelines CREDIT_HASH LOANS_HASH COMMIT

The hashes are those of the feature sets, COMMIT is that of the definitions. Recipes are the published ones:

- credit: logistic regression, C=0.1, on standardised columns of a training set balanced by SMOTENC (seed 0), after
  github.com/veritas-project/phase1, credit_scoring/credit_fairness.ipynb. Columns of whole numbers from -127 to 126 are
  categories to SMOTENC, as they are there.
- loans: gradient-boosted trees (600 of depth 4, rate 0.1), after github.com/sassoftware/python-sasctl,
  examples/pzmm_binary_classification_model_import.ipynb. Missing values are filled with means: there each part's own, here
  those of the training part, as they must be where rows are scored as they come.
"""
import csv
import gzip
import hashlib
import json
import pathlib
import sys

import numpy as np
import onnxruntime
from imblearn.over_sampling import SMOTENC
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, balanced_accuracy_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 0
VERSION = "1"
CREATED = "2026-11-25T00:00:00Z"
GOLDEN = 8
MONTHS = range(1, 7)
CREDIT = (
    {"creditLimit": "LIMIT_BAL", "sex": "SEX", "education": "EDUCATION", "maritalStatus": "MARRIAGE", "age": "AGE"}
    | {f"repaymentStatus{m}": f"PAY_{m}" for m in MONTHS}
    | {f"billAmount{m}": f"BILL_AMT{m}" for m in MONTHS}
    | {f"paidAmount{m}": f"PAY_AMT{m}" for m in MONTHS}
)
LOANS = {
    "amount": "LOAN", "mortgageDue": "MORTDUE", "propertyValue": "VALUE", "yearsOnJob": "YOJ", "derogatoryReports": "DEROG",
    "delinquentLines": "DELINQ", "oldestLineMonths": "CLAGE", "recentInquiries": "NINQ", "creditLines": "CLNO",
    "debtToIncome": "DEBTINC",
}


def rows_of(path):
    with gzip.open(path, "rt", newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def table(rows, columns, target):
    number = lambda text: float(text) if text.strip() else np.nan
    x = np.array([[number(row[column]) for column in columns.values()] for row in rows], dtype=np.float32)
    return x, np.array([int(row[target]) for row in rows])


def credit(data):
    train = table(rows_of(data / "taiwan/creditdata_train_v2.csv.gz"), CREDIT, "TARGET")
    test = table(rows_of(data / "taiwan/creditdata_test_v2.csv.gz"), CREDIT, "TARGET")
    x, y = train
    whole = [i for i in range(x.shape[1]) if (x[:, i] % 1 == 0).all() and x[:, i].min() > -128 and x[:, i].max() < 127]
    x, y = SMOTENC(random_state=SEED, categorical_features=whole).fit_resample(x, y)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=4000, random_state=SEED)).fit(x, y)
    # TARGET is 1 where the client has paid: a default is the other one.
    return model, 0, (test[0], 1 - test[1]), 0.57


def loans(data):
    rows = rows_of(data / "hmeq/hmeq.csv.gz")
    parts = [row["part"] for row in rows_of(data / "hmeq/split.csv.gz")]
    part = lambda name: table([row for row, of in zip(rows, parts) if of == name], LOANS, "BAD")
    boosted = GradientBoostingClassifier(learning_rate=0.1, n_estimators=600, max_depth=4, max_leaf_nodes=500, random_state=SEED)
    model = make_pipeline(SimpleImputer(), boosted).fit(*part("train"))
    x, y = part("test")
    # As published: the test part filled with its own means. It hides which rows lack a value, and costs accuracy.
    filled = np.where(np.isnan(x), np.nanmean(x, axis=0), x).astype(np.float32)
    print("loans, test part filled with its own means", quality(y, model.predict_proba(filled)[:, 1], 0.5))
    return model, 1, (x, y), 0.5


def quality(y, score, cut):
    decided = score > cut
    return {
        "rows": int(len(y)),
        "defaults": int(y.sum()),
        "aucRoc": round(float(roc_auc_score(y, score)), 5),
        "averagePrecision": round(float(average_precision_score(y, score)), 5),
        "brier": round(float(brier_score_loss(y, score)), 5),
        f"accuracyAt{cut}": round(float(accuracy_score(y, decided)), 5),
        f"balancedAccuracyAt{cut}": round(float(balanced_accuracy_score(y, decided)), 5),
    }


def card(about, columns, measured):
    figures = "\n".join(f"| {key} | {value} |" for key, value in measured.items())
    inputs = ", ".join(f"`{name}`" for name in columns)
    return f"""---
license: apache-2.0
library_name: onnx
pipeline_tag: tabular-classification
tags: [credit]
---

# {about["title"]}

{about["kind"]}

## Use

For demonstrations, tests and benchmarks of Millrace, in the `{about["pipeline"]}` pipeline. Do not decide about people with
it: {about["warning"]}

## Data

{about["data"]}

Inputs, in order: {inputs}.

## Measured on the test part

| Figure | Value |
|---|---|
{figures}

{about["published"]}

## Made by

`packages/pipelines/training/credit/train.py`, seed {SEED}; versions in `requirements.txt` beside it.
"""


ABOUT = {
    "credit": {
        "pipeline": "credit",
        "title": "Credit, logistic regression",
        "kind": "Logistic regression on standardised columns, trained on a set balanced by SMOTENC. It gives the probability that a credit-card client defaults in the month after the record; the balance of the training set makes it too high for that to be taken as a share.",
        "warning": "it has seen one bank in one half-year, and sex, age, education and marital status are among its inputs, as they were in the published study of its fairness.",
        "data": "Credit-card clients in Taiwan, April to September 2005: 30,000 rows, 22,500 to train and 7,500 to test (Yeh and Lien 2009, UCI Machine Learning Repository; `packages/pipelines/examples/README.md`).",
        "published": "Published for this recipe (veritas-project/phase1, `credit_scoring/credit_fairness.ipynb`): AUC 0.72393 +/- 0.01278; balanced accuracy 0.68451 where a probability of paying above 0.43 counts as paying, which is a score below 0.57.",
    },
    "loans": {
        "pipeline": "loans",
        "title": "Loans, boosted trees",
        "kind": "Gradient-boosted trees (600 trees of depth 4). It gives the probability that a home-equity loan is not paid back. What is missing is filled with the mean of the training part.",
        "warning": "its data are an example for teaching.",
        "data": "HMEQ, 5,960 home-equity loans, 70 % to train and 30 % to test (sassoftware/python-sasctl; `packages/pipelines/examples/README.md`).",
        "published": "Published for this recipe (`examples/pzmm_binary_classification_model_import.ipynb`): accuracy 0.8837, without a seed, where the test part is filled with its own means. So filled, this model has accuracy 0.8848 and AUC 0.9012. Served, it knows the training part's means only, by which it can tell that a value was missing; that says much about these loans.",
    },
}


def write(folder, name, columns, made, hash_, commit):
    model, column, (x, y), cut = made
    onnx = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, len(columns)]))],
        options={id(model): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    onnx.producer_name, onnx.producer_version = "millrace", VERSION
    content = onnx.SerializeToString()
    session = onnxruntime.InferenceSession(content)
    scores = session.run(["probabilities"], {"features": x})[0][:, column]
    worst = float(np.abs(scores - model.predict_proba(x)[:, column]).max())
    assert worst < 1e-4, f"{name}: the ONNX file differs from the estimator by {worst}"
    measured = quality(y, scores, cut)
    # Golden rows: spread over the scores; JSON has no missing number, so only rows without one.
    complete = np.argsort(scores)[~np.isnan(x[np.argsort(scores)]).any(axis=1)]
    picked = complete[np.linspace(0, len(complete) - 1, GOLDEN).astype(int)]
    target = pathlib.Path(folder) / name / VERSION
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(content)
    manifest = {
        "name": name,
        "version": VERSION,
        "file": "model.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "inputs": [{"name": "features", "type": "float32", "shape": ["N", len(columns)]}],
        "features": list(columns),
        "outputs": [{"name": "score", "tensor": "probabilities", "column": column}],
        "featureSet": {"pipeline": ABOUT[name]["pipeline"], "version": 1, "hash": hash_},
        "providers": ["cpu"],
        "golden": {
            "rows": [[float(v) for v in x[i]] for i in picked],
            "outputs": [[float(scores[i])] for i in picked],
            "tolerance": 1e-5,
        },
        "training": {"data": "packages/pipelines/examples", "seed": SEED, "commit": commit},
        "license": "Apache-2.0",
        "createdAt": CREATED,
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    (target / "MODEL_CARD.md").write_text(card(ABOUT[name], columns, measured))
    print(name, len(content), "bytes", measured, "worst difference", worst)


def main(root, credit_hash, loans_hash, commit):
    root = pathlib.Path(root)
    data, models = root / "examples", root / "models"
    write(models, "credit", CREDIT, credit(data), credit_hash, commit)
    write(models, "loans", LOANS, loans(data), loans_hash, commit)


if __name__ == "__main__":
    main(*sys.argv[1:5])
