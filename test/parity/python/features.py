"""Features of the fraud pipeline by pandas alone, from events and labels as they were published.

Whatever a window covers has come in and has not gone out yet: it has what came in as of the event, less what went out
as of then. Both are running totals, and `merge_asof` finds the newest that were known. A window w with the delay d has
an event of the time s from s + d on, and no more from s + d + w on; a label is in it from when it was known, if that is later.
"""

import pandas as pd

DAY_MS = 86_400_000
DAYS = (1, 7, 30)
TERMINAL_DELAY_MS = 7 * DAY_MS
CENTS = 100

#: Ways to compute it wrongly, by which a comparison shows that it would see them.
MISTAKES = {
    "edges": "what lies exactly on an edge is taken for outside, the event itself with it (allow_exact_matches=False)",
    "later": "customers' windows have what comes up to a day after the event",
    "unknown": "labels count before they were known",
}


def totals(frame, key, at, values):
    """Running totals of `values` for each key, as they stand from the time or number `at` on; sorted by it."""
    running = frame.sort_values(at, kind="stable")[[key, at, *values]].reset_index(drop=True)
    running[values] = running.groupby(key)[values].cumsum()
    return running


def as_of(rows, at, frame, key, when, values, exact):
    """Newest running totals of the row's key at `at`, one line for each row in its order; zero before the first."""
    asked = rows[[key]].assign(at=at, row=range(len(rows))).sort_values("at", kind="stable")
    found = pd.merge_asof(
        asked, totals(frame, key, when, values), left_on="at", right_on=when, by=key, allow_exact_matches=exact
    )
    return found.set_index("row").sort_index()[values].fillna(0)


def ordered(events):
    """Events with their place in the order of a fold: time, then the producer's sequence. Equal ones share a place."""
    return events.assign(place=events.groupby(["txAt", "sequence"]).ngroup())


def calendar(events):
    at = pd.to_datetime(events["txAt"], unit="ms", utc=True)
    return {"txDuringWeekend": at.dt.dayofweek >= 5, "txDuringNight": at.dt.hour <= 6}


def customers(events, mistake):
    """Count and mean amount of the customer's payments in (t - w, t], this one with them: entered by place, left by time."""
    exact = mistake != "edges"
    paid = events.assign(n=1, cents=(events["amount"] * CENTS).round().astype("int64"))
    values = ["n", "cents"]
    if mistake == "later":
        entered = as_of(events, events["txAt"] + DAY_MS, paid, "customerId", "txAt", values, exact)
    else:
        entered = as_of(events, events["place"], paid, "customerId", "place", values, exact)
    found = {}
    for days in DAYS:
        gone = paid.assign(leaves=paid["txAt"] + days * DAY_MS)
        within = entered - as_of(events, events["txAt"], gone, "customerId", "leaves", values, exact)
        found[f"customerTxCount{days}d"] = within["n"]
        found[f"customerAvgAmount{days}d"] = within["cents"] / CENTS / within["n"]
    return found


def delayed(rows, key, days, values, mistake):
    """Totals of `rows`, which have `txAt` and perhaps `knownAt`, in (t - d - w, t - d] as they were known at t."""
    exact = mistake != "edges"
    comes = rows["txAt"] + TERMINAL_DELAY_MS
    leaves = comes + days * DAY_MS
    if "knownAt" in rows and mistake != "unknown":
        comes = comes.where(comes >= rows["knownAt"], rows["knownAt"])
    # What is known only after it would have gone is never in.
    inside = rows.assign(comes=comes, leaves=leaves)[comes < leaves]
    return lambda events: (
        as_of(events, events["txAt"], inside, key, "comes", values, exact)
        - as_of(events, events["txAt"], inside, key, "leaves", values, exact)
    )


def terminals(events, labels, mistake):
    """Payments of the terminal that are at least a week old, and the share of frauds among those that have a label."""
    made = events.assign(n=1)
    judged = labels.assign(n=1, frauds=labels["isFraud"].astype("int64"))
    found = {}
    for days in DAYS:
        count = delayed(made, "terminalId", days, ["n"], mistake)(events)["n"]
        risk = delayed(judged, "terminalId", days, ["n", "frauds"], mistake)(events)
        found[f"terminalTxCount{days}d"] = count
        found[f"terminalRisk{days}d"] = (risk["frauds"] / risk["n"]).fillna(0)
    return found


def labels_as_of(events, labels, as_of_ms, mistake):
    """The newest label of each event that was known at a time; missing where there was none."""
    at = labels["knownAt"].max() if mistake == "unknown" else as_of_ms
    asked = events[["eventId"]].assign(at=at, row=range(len(events)))
    known = labels[["eventId", "knownAt", "isFraud"]].sort_values("knownAt", kind="stable")
    newest = pd.merge_asof(asked, known, left_on="at", right_on="knownAt", by="eventId")
    newest = newest.set_index("row").sort_index()
    return {"label": newest["isFraud"].astype("float64"), "labelKnownAt": newest["knownAt"].astype("float64")}


def compute(events, labels, as_of_ms, mistake=None):
    """Every column of the dataset but the text ones, as numbers, a line for each event. Times are milliseconds since the epoch."""
    columns = {
        "eventTime": events["txAt"],
        "revision": events["revision"],
        "amount": events["amount"],
        **calendar(events),
        **customers(events, mistake),
        **terminals(events, labels, mistake),
        **labels_as_of(events, labels, as_of_ms, mistake),
    }
    return pd.DataFrame({name: column.astype("float64") for name, column in columns.items()})
