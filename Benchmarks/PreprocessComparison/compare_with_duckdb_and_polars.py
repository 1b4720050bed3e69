#!/usr/bin/env python3
"""h2rec-preprocess against DuckDB and Polars: one job on one log, whole processes, side by side.

    compare_with_duckdb_and_polars.py --programs .build/release --folder /tmp/preprocess-benchmark

The job: parse a CSV of (user, item, rating, time), keep the first event of each user and item, drop users and items with
fewer than five events until nothing changes, sort by user and time, give users and items dense numbers, hold out the last
two events of each user, write. h2rec-preprocess writes shards, the others Parquet; the numbers of users, items and events
must agree. The log is made by `h2rec-preprocess sample` and shuffled by `shuf`; it stays in --folder for the next run.

Prints one JSON line for each program: bench, setting, seconds, processor seconds and peak memory of the whole process (medians), and
ratio_to_reference, the seconds of the fastest other program divided by those of h2rec-preprocess. A reference that is not
installed is left out, and the line says so. Run it on a quiet machine.
"""
import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from timing import run, take_turns

DUCKDB = """
import sys, duckdb
log, output, threads, memory = sys.argv[1:5]
c = duckdb.connect()
c.execute(f"SET threads={threads}")
if memory: c.execute(f"SET memory_limit='{memory}'")
c.execute("SET preserve_insertion_order=false")
c.execute("SET enable_progress_bar=false")
c.execute(f\"\"\"CREATE TABLE raw AS SELECT user_id, item_id, timestamp FROM read_csv('{log}', header=true,
  columns={{'user_id': 'VARCHAR', 'item_id': 'VARCHAR', 'rating': 'UTINYINT', 'timestamp': 'BIGINT'}})\"\"\")
for side in ("user", "item"):
    c.execute(f"CREATE TABLE {side}s AS SELECT id, (row_number() OVER ())::UINTEGER AS n FROM (SELECT DISTINCT {side}_id AS id FROM raw)")
c.execute(\"\"\"CREATE TABLE events AS SELECT users.n AS u, items.n AS i, min(timestamp) AS t
  FROM raw JOIN users ON user_id = users.id JOIN items ON item_id = items.id GROUP BY ALL\"\"\")
c.execute("DROP TABLE raw")
count = lambda: c.execute("SELECT count(*) FROM events").fetchone()[0]
before = None
while before != (now := count()):
    before = now
    for side in "iu":
        c.execute(f"CREATE OR REPLACE TABLE events AS SELECT * FROM events SEMI JOIN (SELECT {side} FROM events GROUP BY {side} HAVING count(*) >= 5) USING ({side})")
c.execute(f\"\"\"COPY (WITH ru AS (SELECT n, row_number() OVER (ORDER BY id) - 1 AS rank FROM users SEMI JOIN events ON n = u),
  ri AS (SELECT n, row_number() OVER (ORDER BY id) - 1 AS rank FROM items SEMI JOIN events ON n = i)
  SELECT ru.rank AS u, ri.rank AS i, t, CASE row_number() OVER (PARTITION BY ru.rank ORDER BY t DESC, ri.rank DESC)
    WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE 0 END AS part
  FROM events JOIN ru ON u = ru.n JOIN ri ON i = ri.n ORDER BY ru.rank, t, ri.rank) TO '{output}' (FORMAT parquet)\"\"\")
print(*c.execute("SELECT count(DISTINCT u), count(DISTINCT i), count(*) FROM events").fetchone())
"""

POLARS = """
import os, sys
log, output, threads, memory = sys.argv[1:5]
os.environ["POLARS_MAX_THREADS"] = threads
import polars as pl
rows = pl.scan_csv(log, schema={"user_id": pl.String, "item_id": pl.String, "rating": pl.UInt8, "timestamp": pl.Int64})
rows = rows.select("user_id", "item_id", t="timestamp").collect()
for side, name in (("user_id", "u"), ("item_id", "i")):
    ids = rows.select(pl.col(side).unique()).sort(side).with_row_index(name)
    rows = rows.join(ids, on=side, maintain_order="none").drop(side)
rows = rows.group_by("u", "i").agg(pl.col("t").min())
before = None
while before != rows.height:
    before = rows.height
    for side in "iu":
        rows = rows.filter(pl.len().over(side) >= 5)
rows = rows.with_columns(pl.col("u").rank("dense") - 1, pl.col("i").rank("dense") - 1).sort("u", "t", "i")
left = pl.len().over("u") - 1 - pl.int_range(pl.len()).over("u")
rows = rows.with_columns(part=pl.when(left == 0).then(2).when(left == 1).then(1).otherwise(0).cast(pl.UInt8))
rows.write_parquet(output)
print(rows["u"].n_unique(), rows["i"].n_unique(), rows.height)
"""


def make_log(given):
    """The path of the shuffled log."""
    name = f"log-{given.users}-{given.items}-{given.interactions}"
    path = os.path.join(given.folder, f"{name}.csv")
    if os.path.exists(path):
        return path
    sample = os.path.join(given.folder, "sample")
    subprocess.run(
        [os.path.join(given.programs, "h2rec-preprocess"), "sample", "--output", sample, "--users", str(given.users),
         "--items", str(given.items), "--interactions", str(given.interactions), "--quiet"],
        check=True, stdout=subprocess.DEVNULL)
    # The same shuffle every time: random bytes from a cipher with a fixed key.
    script = """set -e -o pipefail; head -n 1 "$1" >"$2.part"
      tail -n +2 "$1" | shuf --random-source=<(openssl enc -aes-256-ctr -pass pass:42 -nosalt </dev/zero 2>/dev/null) >>"$2.part"
      mv "$2.part" "$2" """
    subprocess.run(["bash", "-c", script, "bash", os.path.join(sample, "interactions.csv"), path], check=True)
    shutil.rmtree(sample)
    return path


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--programs", required=True, help="folder of the h2rec programs")
    options.add_argument("--folder", required=True, help="where the log and the outputs go")
    options.add_argument("--users", type=int, default=1_000_000)
    options.add_argument("--items", type=int, default=200_000)
    options.add_argument("--interactions", type=int, default=20_000_000)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--memory", default="", help="limit for h2rec-preprocess and DuckDB, for example 4GiB")
    options.add_argument("--only", nargs="+", default=["h2rec-preprocess", "duckdb", "polars"])
    given = options.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    log = make_log(given)
    output = os.path.join(given.folder, "output")
    ours = [os.path.join(given.programs, "h2rec-preprocess"), "--interactions", log, "--output", output, "--dedup", "first",
            "--pairs", "none", "--negatives", "0", "--popular-negatives", "0", "--threads", str(given.threads), "--quiet"]
    commands = {"h2rec-preprocess": ours + (["--memory", given.memory] if given.memory else [])}
    for name, script in (("duckdb", DUCKDB), ("polars", POLARS)):
        commands[name] = [sys.executable, "-c", script, log, f"{output}.parquet", str(given.threads), given.memory]
    missing = [name for name in ("duckdb", "polars") if importlib.util.find_spec(name) is None]

    def job(name):
        def once(_):
            shutil.rmtree(output, ignore_errors=True)
            return run(commands[name])
        return once

    results = take_turns(given.rounds, {name: job(name) for name in given.only if name not in missing})
    counts = {}
    for name, runs in results.items():
        if name == "h2rec-preprocess":
            counts[name] = [runs[-1].summary[key] for key in ("users", "items", "interactions")]
        else:
            counts[name] = [int(number) for number in runs[-1].last_line.split()]
    if len({tuple(found) for found in counts.values()}) > 1:
        sys.exit(f"the programs disagree on users, items and events: {counts}")
    median = {name: [statistics.median(column) for column in list(zip(*runs))[:3]] for name, runs in results.items()}
    others = [figures[0] for name, figures in median.items() if name != "h2rec-preprocess"]
    for name, (seconds, processor, memory) in median.items():
        line = {
            "bench": "preprocess", "program": name, "seconds": round(seconds, 2), "processor_seconds": round(processor, 2),
            "peak_mebibytes": round(memory), "load": round(os.getloadavg()[0], 1),
            "setting": f"{given.interactions} rows, {os.path.getsize(log)} bytes, {given.threads} threads, "
                       f"memory {given.memory or 'unlimited'}, {given.rounds} rounds",
            "users_items_events": counts[name],
            "ratio_to_reference": round(min(others) / median["h2rec-preprocess"][0], 2)
            if name == "h2rec-preprocess" and others else None,
        }
        if missing:
            line["not_installed"] = missing
        print(json.dumps(line))
    shutil.rmtree(output, ignore_errors=True)
    if os.path.exists(f"{output}.parquet"):
        os.remove(f"{output}.parquet")


if __name__ == "__main__":
    main()
