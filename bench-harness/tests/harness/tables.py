"""Loads comparison.csv the way people do, without options, and checks what comes out."""

import sys

import duckdb
import pandas

NUMBERS = [
    "value", "value_low", "value_high", "ratio", "ratio_low", "ratio_high", "limit_share", "wall_ns",
    "operations", "operations_per_second", "cpu_ns_per_operation", "cpu_ratio", "switches_per_operation",
    "peak_memory_bytes", "peak_threads", "worker_threads", "latency_p99_ns", "rounds", "samples",
]
WORDS = ["case", "workload", "entry", "strategy", "variant", "outcome", "metric", "verdict"]

path, rows = sys.argv[1], int(sys.argv[2])

frame = pandas.read_csv(path)
assert len(frame) == rows, (len(frame), rows)
for column in NUMBERS:
    assert pandas.api.types.is_numeric_dtype(frame[column]), (column, frame[column].dtype)
for column in WORDS:
    assert not pandas.api.types.is_numeric_dtype(frame[column]), (column, frame[column].dtype)
measured = frame[frame["outcome"] == "measured"]
assert measured["value"].notna().all() and frame[frame["outcome"] == "failed"]["value"].isna().all()
assert (measured.groupby("case")["ratio"].count() > 0).any()

table = duckdb.sql(f"select * from '{path}'")
types = dict(zip(table.columns, map(str, table.types)))
assert len(table) == rows, (len(table), rows)
for column in NUMBERS:
    assert types[column] in ("DOUBLE", "BIGINT"), (column, types[column])
for column in WORDS:
    assert types[column] == "VARCHAR", (column, types[column])
query = f"select count(*) from '{path}' where verdict in ('best', 'tied')"
[(best,)] = duckdb.sql(query).fetchall()
assert best == frame["verdict"].isin(["best", "tied"]).sum() > 0, best
