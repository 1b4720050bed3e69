#!/usr/bin/env python3
"""The autoencoder with residual codes (rq-vae) against a PyTorch program: same vectors, layers, batches and epochs.

    compare_with_torch.py --benchmark .build-benchmarks/release/autoencoder-benchmark --reference FILE.py

FILE.py must define train_rqvae(vectors, levels, codes, latent, hidden=, epochs=, bs=, lr=, seed=), which returns codebooks, codes, the
final error as a share of the variance, and a dictionary with items_per_s. The runs alternate; both clocks leave out the start of
the program and include the k-means starts; processor seconds are those of all threads, ours with reading and encoding, and say more than
the clock where the machine is busy. Ours runs with float32 and with bfloat16 products, the other as it is. Needs NumPy and PyTorch.
Prints one JSON line. Run it on a quiet machine.
"""
import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from compare_with_faiss import clusters
from timing import run, take_turns


def load(path):
    """The module in a file."""
    description = importlib.util.spec_from_file_location("reference", path)
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--benchmark", required=True, help="the program autoencoder-benchmark")
    options.add_argument("--reference", required=True, help="a Python file with train_rqvae")
    options.add_argument("--items", type=int, default=100_000)
    options.add_argument("--width", type=int, default=384)
    options.add_argument("--batch-size", type=int, default=1024)
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=2)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    reference = load(given.reference)
    vectors = clusters(given.items, given.width)
    result = {"items": given.items, "width": given.width, "batchSize": given.batch_size, "epochs": given.epochs,
              "threads": given.threads, "rounds": given.rounds}

    def theirs(number):
        start = time.process_time()
        _, _, error, speed = reference.train_rqvae(
            vectors, 4, 256, 64, hidden=(512, 256), epochs=given.epochs, bs=given.batch_size, seed=number)
        return round(speed["items_per_s"]), round(time.process_time() - start, 2), round(error, 4)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "vectors.f32")
        vectors.tofile(path)

        def ours(precision):
            found = run(
                [given.benchmark, "--vectors", path, "--width", str(given.width), "--batch-size", str(given.batch_size),
                 "--epochs", str(given.epochs), "--threads", str(given.threads), "--precision", precision])
            return found.summary["itemsPerSecond"], round(found.processor_seconds, 2), found.summary["error"]

        runs = take_turns(given.rounds, {
            "float32": lambda _: ours("float32"), "bfloat16": lambda _: ours("bfloat16"), "torch": theirs})
    for name, each in runs.items():
        result[name] = dict(zip(("itemsPerSecond", "processorSeconds", "error"), map(list, zip(*each))))
    speeds = {name: statistics.median(result[name]["itemsPerSecond"]) for name in runs}
    result["timesAsFast"] = {
        name: round(speeds[name] / speeds["torch"], 2) for name in ("float32", "bfloat16")}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
