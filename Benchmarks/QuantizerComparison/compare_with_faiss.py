#!/usr/bin/env python3
"""Residual k-means of h2rec-tokenize against FAISS: same vectors, codes, iterations and threads, whole processes.

    compare_with_faiss.py --programs .build/release --items 100000 --width 384

Needs NumPy and faiss-cpu. Both sides quantise all coordinates (no principal components) and all items; the runs alternate, and the
median of the wall times is printed with the error that is left. The clock includes the start of the process, reading the
vectors and, for h2rec-tokenize, checking its input and writing codes, codebooks and reports. --encode also times 'h2rec-tokenize
encode' on as many items that the codes were not learned on. Run it on a quiet machine.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from timing import run, take_turns

FAISS = """
import sys, faiss, numpy as np
path, levels, size, iterations, threads = sys.argv[1], *map(int, sys.argv[2:6])
faiss.omp_set_num_threads(threads)
x = np.load(path)
x -= x.mean(0)
variance = (x ** 2).sum(1).mean()
codes = []
for level in range(levels):
    found = faiss.Kmeans(x.shape[1], size, niter=iterations, max_points_per_centroid=10 ** 9, seed=level + 1)
    found.train(x)
    _, nearest = found.index.search(x, 1)
    x -= found.centroids[nearest[:, 0]]
    codes.append(nearest[:, 0])
np.save(path + ".codes", np.stack(codes, 1).astype(np.uint16))
print((x ** 2).sum(1).mean() / variance)
"""


def clusters(items, width):
    """2,000 clusters with noise, always the same."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((2000, width), dtype=np.float32)
    vectors = centres[random.integers(0, 2000, items)]
    for first in range(0, items, 100_000):
        part = vectors[first : first + 100_000]
        part += 0.5 * random.standard_normal(part.shape, dtype=np.float32)
    return vectors


def prepare(folder, vectors, items, letter, program):
    """An output of h2rec-preprocess with these vectors, for items with names that start with a letter."""
    ids, log, data = (os.path.join(folder, f"{letter}-{name}") for name in ("ids.txt", "log.csv", "1"))
    with open(ids, "w") as file:
        file.writelines(f"{letter}{item}\n" for item in range(items))
    with open(log, "w") as file:
        file.write("user_id,item_id,timestamp\n")
        file.writelines(f"u{item // 10},{letter}{item},{item}\n" for item in range(items))
    subprocess.run(
        [program("preprocess"), "--interactions", log, "--vectors", vectors, "--vector-ids", ids, "--user-core", "1",
         "--item-core", "1", "--pairs", "none", "--negatives", "1", "--output", data, "--quiet"],
        check=True, stdout=subprocess.DEVNULL)
    return data


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--programs", required=True, help="folder of the h2rec programs")
    options.add_argument("--items", type=int, default=100_000)
    options.add_argument("--width", type=int, default=384)
    options.add_argument("--levels", type=int, default=4)
    options.add_argument("--codes", type=int, default=256)
    options.add_argument("--iterations", type=int, default=25)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--options", default="", help="more options of h2rec-tokenize, for example '--sample-size 25600'")
    options.add_argument("--vectors", help="a .npy of float32 instead of made ones; sets --items and --width")
    options.add_argument("--encode", action="store_true", help="time encode on other items, too")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "vectors.npy")
        vectors = np.load(given.vectors).astype(np.float32) if given.vectors else clusters(given.items, given.width)
        items, width = vectors.shape
        np.save(path, vectors)
        del vectors
        program = lambda name: os.path.join(given.programs, f"h2rec-{name}")
        data = prepare(folder, path, items, "i", program)
        codes = os.path.join(folder, "2")
        sizes = ",".join([str(given.codes)] * given.levels)
        ours = [program("tokenize"), "--data", data, "--output", codes, "--codebooks", sizes, "--pca",
                "0", "--iterations", str(given.iterations), "--threads", str(given.threads), "--quiet", *given.options.split()]
        theirs = [sys.executable, "-c", FAISS, path] + [
            str(number) for number in (given.levels, given.codes, given.iterations, given.threads)]
        runs = take_turns(given.rounds, {"h2rec-tokenize": lambda _: run(ours), "faiss": lambda _: run(theirs)})
        error = {"h2rec-tokenize": runs["h2rec-tokenize"][-1].summary["relativeError"],
                 "faiss": float(runs["faiss"][-1].last_line)}
        print(f"{items} x {width}, {given.levels} x {given.codes}, {given.iterations} iterations, "
              f"{given.threads} threads, rounds: {given.rounds}, load now {os.getloadavg()[0]:.2f}")
        seconds = {name: [one.seconds for one in each] for name, each in runs.items()}
        for name, times in seconds.items():
            print(f"{name:15} {statistics.median(times):8.2f} s  (from {min(times):.2f} to {max(times):.2f}), "
                  f"{statistics.median(one.processor_seconds for one in runs[name]):8.2f} s of processor time, "
                  f"{max(one.peak_mebibytes for one in runs[name]):6.0f} MiB,  relative error {error[name]:.5f}")
        print(f"h2rec-tokenize is {statistics.median(seconds['faiss']) / statistics.median(seconds['h2rec-tokenize']):.1f} "
              f"times as fast")
        if given.encode:
            others = prepare(folder, path, items, "n", program)
            found = run([program("tokenize"), "encode", "--codes", codes, "--data", others, "--output", os.path.join(folder, "n-2"),
                         "--threads", str(given.threads), "--quiet"])
            print(f"encode on {items} other items: {found.seconds:.2f} s, {found.processor_seconds:.2f} s of processor time, "
                  f"{found.peak_mebibytes:.0f} MiB")


if __name__ == "__main__":
    main()
