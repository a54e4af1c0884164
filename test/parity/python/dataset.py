"""Judges a dataset of the fraud pipeline: pandas computes every row again from what was published, and compares.

The file has to be the one of its manifest. Prints one JSON object: rows and values compared, what differs by column with
examples, and `wrong`, a sentence for each reason to refuse it. Ends with 1 where there is any, or where nothing was compared.
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import sys

import pandas as pd
from features import DAY_MS, DAYS, MISTAKES, TERMINAL_DELAY_MS, compute, ordered

TOLERANCE = 1e-6
EXAMPLES_MAX = 3
#: Rows whose order among those of the same customer is not published, at most: theirs is not compared.
UNDECIDED_SHARE_MAX = 0.001
TEXTS = {"eventId", "entity"}
SHARED = {
    "eventId": "object",
    "revision": "int64",
    "sequence": "int64",
    "txAt": "int64",
    "customerId": "object",
    "terminalId": "object",
}
FIELDS = {
    "transactions": {**SHARED, "amount": "float64", "withdrawn": "bool"},
    "labels": {**SHARED, "knownAt": "int64", "isFraud": "bool"},
}
TIMES = ("eventTime", "labelKnownAt")


def standing(events):
    """Each event in its newest revision, but for what is withdrawn."""
    newest = events.sort_values("revision", kind="stable").drop_duplicates("eventId", keep="last").sort_index()
    return newest[~newest["withdrawn"]].drop(columns="withdrawn").reset_index(drop=True)


def read_inputs(path):
    """Events as they stand, and labels, each once. One JSON object a line: `stream`, and the fields of the record."""
    streams = {name: [] for name in FIELDS}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            name = record["stream"]
            if name == "labels" and (record["revision"] != 0 or record["withdrawn"]):
                raise SystemExit(f"the label of {record['eventId']} is a correction: this judge knows none of labels")
            streams[name].append([record[field] for field in FIELDS[name]])
    frames = {}
    for name, records in streams.items():
        frame = pd.DataFrame(records, columns=list(FIELDS[name])).astype(FIELDS[name])
        frames[name] = frame.drop_duplicates(ignore_index=True)
        if frames[name].duplicated(["eventId", "revision"]).any():
            raise SystemExit(f"{name}: two records of one event and revision that differ")
    return standing(frames["transactions"]), frames["labels"]


def read_dataset(path):
    """The dataset with every column but the text ones as numbers, missing as NaN; its manifest; and whether it is its file."""
    manifest = json.loads(pathlib.Path(f"{path}.manifest.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    frame = pd.read_parquet(path)
    for name in TIMES:
        at = pd.to_datetime(frame[name], utc=True)
        frame[name] = ((at - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(milliseconds=1)).astype("float64")
    numbers = [name for name in frame.columns if name not in TEXTS]
    frame[numbers] = frame[numbers].astype("float64")
    return frame, manifest, digest == manifest["sha256"]


def milliseconds(text):
    return int(pd.Timestamp(text).tz_convert("UTC").timestamp() * 1000)


def on_an_edge(events):
    """Which events have another one exactly on an edge of one of their windows."""
    found = pd.Series(False, index=events.index)
    spans = [("customerId", days * DAY_MS) for days in DAYS]
    spans += [("terminalId", TERMINAL_DELAY_MS + days * DAY_MS) for days in (0, *DAYS)]
    for key, span in spans:
        there = pd.MultiIndex.from_arrays([events[key], events["txAt"] + span])
        found |= pd.MultiIndex.from_arrays([events[key], events["txAt"]]).isin(there)
    return found


def plain(value):
    """JSON has no NaN: a missing figure is null there."""
    return None if pd.isna(value) else float(value)


def compare(both, names):
    """By column: values compared, mismatches, the greatest difference as a share of max(1, |pandas|), examples."""
    columns = {}
    for name in names:
        rows = both[~both["undecided"]] if name.startswith("customer") else both
        ours, pandas = rows[f"{name}_dataset"], rows[f"{name}_pandas"]
        off = (ours - pandas).abs() / pandas.abs().clip(lower=1)
        differs = ~((off <= TOLERANCE) | (ours.isna() & pandas.isna()))
        examples = zip(rows["eventId"][differs], ours[differs], pandas[differs])
        columns[name] = {
            "compared": len(rows),
            "mismatches": int(differs.sum()),
            "worst": plain(off.max()) or 0.0,
            "examples": [
                {"eventId": event, "dataset": plain(one), "pandas": plain(other)}
                for event, one, other in itertools.islice(examples, EXAMPLES_MAX)
            ],
        }
    return columns


def expected(events, labels, manifest, mistake):
    """Rows of the days and the labels that the manifest names, with what is special about each; and their columns."""
    numbers = compute(events, labels, milliseconds(manifest["asOf"]), mistake)
    rows = events[["eventId", "customerId"]].join(numbers)
    rows["edge"] = on_an_edge(events)
    rows["tied"] = events.duplicated(["customerId", "txAt"], keep=False)
    rows["undecided"] = events.duplicated(["customerId", "place"], keep=False)
    first, last = (milliseconds(f"{manifest[day]}T00:00Z") for day in ("from", "to"))
    return rows[rows["eventTime"].between(first, last + DAY_MS, inclusive="left")], list(numbers.columns)


def judge(dataset, manifest, is_its_file, rows, known):
    names = [name for name in known if name in dataset]
    strange = sorted(set(dataset.columns) ^ {*known, *TEXTS})
    both = dataset.drop_duplicates("eventId").merge(rows, on="eventId", suffixes=("_dataset", "_pandas"))
    columns = compare(both, names)
    counts = {
        "rows": len(both),
        "values": sum(column["compared"] for column in columns.values()),
        "mismatches": sum(column["mismatches"] for column in columns.values()),
        "missing": int((~rows["eventId"].isin(dataset["eventId"])).sum()),
        "extra": int((~dataset["eventId"].isin(rows["eventId"])).sum()),
        "doubled": int(dataset["eventId"].duplicated().sum()),
        "labelled": int(both["label_dataset"].notna().sum()),
        "onAnEdge": int(both["edge"].sum()),
        "sameTime": int(both["tied"].sum()),
        "undecided": int(both["undecided"].sum()),
    }
    entities = int((both["entity"] != both["customerId"]).sum())
    reasons = [
        (not is_its_file, "the file is not the one of its manifest: the digests differ"),
        (counts["values"] == 0, "nothing was compared"),
        (len(dataset) != manifest["rows"], f"{len(dataset)} rows, where the manifest says {manifest['rows']}"),
        (counts["missing"] > 0, f"{counts['missing']} events have no row"),
        (counts["extra"] > 0, f"{counts['extra']} rows have no event of these days"),
        (counts["doubled"] > 0, f"{counts['doubled']} rows come again"),
        (entities > 0, f"entity differs in {entities} rows"),
        (len(strange) > 0, f"columns that only one side has: {', '.join(strange)}"),
        (
            counts["undecided"] > UNDECIDED_SHARE_MAX * len(both),
            f"the order of {counts['undecided']} rows is not published: too many",
        ),
        *((c["mismatches"] > 0, f"{name} differs in {c['mismatches']} rows") for name, c in columns.items()),
    ]
    return {**counts, "columns": columns, "wrong": [sentence for is_so, sentence in reasons if is_so]}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--dataset", required=True, help="Parquet file, its manifest beside it")
    options.add_argument("--inputs", required=True, help="what was published: one JSON object a line")
    options.add_argument("--mistakes", default="", help=f"also compute it wrongly, to see that it is seen: {', '.join(MISTAKES)}")
    given = options.parse_args()

    dataset, manifest, is_its_file = read_dataset(given.dataset)
    events, labels = read_inputs(given.inputs)

    def judged(mistake=None):
        return judge(dataset, manifest, is_its_file, *expected(ordered(events), labels, manifest, mistake))

    result = judged()
    result["mistakes"] = {
        name: {column: found["mismatches"] for column, found in judged(name)["columns"].items()}
        for name in given.mistakes.split(",")
        if name != ""
    }
    print(json.dumps(result))
    sys.exit(1 if result["wrong"] else 0)


main()
