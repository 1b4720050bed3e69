#!/usr/bin/env python3
"""Peak memory of h2rec-evaluate for more and more users: what a user costs, and that nothing else grows.

    measure_users.py --programs .build/release --users 20000,80000,160000

Makes a built-in shop for each number of users (2,000 items, 8 events a user), runs all four stages with both kinds of 100 stored
negatives and lists of 100, and prints the peak memory of evaluate, then one JSON line. What is kept of a user is the history
(12 bytes an event, about 60 a user and the id) and 24 bytes of rank for each protocol; vectors, lists and negatives pass by in blocks.
"""
import argparse
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from timing import run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="folder with the four programs")
    parser.add_argument("--users", default="20000,80000,160000", help="numbers of users, ascending")
    parser.add_argument("--threads", default="2")
    options = parser.parse_args()
    counts = [int(text) for text in options.users.split(",")]
    peaks, seconds, sizes = [], [], []
    for users in counts:
        with tempfile.TemporaryDirectory() as folder:
            def path(name):
                return os.path.join(folder, name)

            def stage(name, *arguments):
                return run([os.path.join(options.programs, f"h2rec-{name}"), *arguments, "--output", path(name), "--quiet"]).summary

            shop = path("shop")
            run([os.path.join(options.programs, "h2rec-preprocess"), "sample", "--output", shop, "--users", str(users),
                 "--items", "2000", "--interactions", str(8 * users), "--quiet"])
            threads = ("--threads", options.threads)
            stage("preprocess", "--interactions", f"{shop}/interactions.csv", "--items", f"{shop}/items.jsonl",
                  "--vectors", f"{shop}/item_embeddings.npy", "--vector-ids", f"{shop}/item_ids.txt", *threads)
            stage("tokenize", "--data", path("preprocess"), "--codebooks", "32,32", *threads)
            stage("train", "--data", path("preprocess"), "--codes", path("tokenize"), "--dimension", "16", "--epochs", "1",
                  "--loss", "sampled-softmax", *threads)
            found = stage("evaluate", "--data", path("preprocess"), "--codes", path("tokenize"), "--model", path("train"),
                          "--recommend", "100", "--recommend-compression", "zstd", *threads)
            peaks.append(found["peakMegabytes"])
            seconds.append(found["seconds"])
            sizes.append(found["recommendedUsers"])
            print(f"{found['recommendedUsers']} users: {found['peakMegabytes']} MiB, {found['seconds']} s")
    growth = (peaks[-1] - peaks[0]) * 2**20 / (sizes[-1] - sizes[0])
    print(json.dumps({"bench": "evaluation-memory", "users": sizes, "peakMegabytes": peaks, "seconds": seconds,
                      "bytesPerUser": round(growth)}))


if __name__ == "__main__":
    main()
