#!/usr/bin/env python3
"""The best items of many users: ranking-benchmark against torch and FAISS, each in a process of its own.

    compare_with_torch_and_faiss.py --programs .build-benchmarks/release --users 1000000 --share 0.02 \\
        --torch python-with-torch --faiss python-with-faiss

torch scores 2,048 users at a time (`users @ items.T`, then `topk`), FAISS searches an IndexFlatIP with 2,048 users at a time; both on the
processor, with the same threads. They leave no history out, which ours does. They run on a share of the users, and everything
is compared in scores (users x items) a second. Rounds of the three alternate; medians are printed, then one JSON line in
which ratio_to_reference is our speed over that of the faster of the two. Run it on a quiet machine.
"""
import argparse
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from timing import run, take_turns

TORCH = """
import sys, time, json, resource, torch
users, items, width, count, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
generator = torch.Generator().manual_seed(1)
catalogue = torch.rand(items, width, generator=generator) - 0.5
seconds = 0.0
with torch.inference_mode():
    for first in range(0, users, 2048):
        block = torch.rand(min(2048, users - first), width, generator=generator) - 0.5
        start = time.monotonic()
        scores, best = torch.topk(block @ catalogue.T, count)
        seconds += time.monotonic() - start
print(json.dumps({"seconds": seconds, "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "version": torch.__version__}))
"""
FAISS = """
import sys, time, json, resource, faiss, numpy as np
users, items, width, count, threads = map(int, sys.argv[1:])
faiss.omp_set_num_threads(threads)
random = np.random.default_rng(1)
index = faiss.IndexFlatIP(width)
index.add(random.random((items, width), dtype=np.float32) - 0.5)
seconds = 0.0
for first in range(0, users, 2048):
    block = random.random((min(2048, users - first), width), dtype=np.float32) - 0.5
    start = time.monotonic()
    scores, best = index.search(block, count)
    seconds += time.monotonic() - start
print(json.dumps({"seconds": seconds, "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "version": faiss.__version__}))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="folder with ranking-benchmark")
    parser.add_argument("--torch", default="python3", help="a Python that has torch")
    parser.add_argument("--faiss", default="python3", help="a Python that has faiss")
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.02, help="share of the users that torch and FAISS score, and ours in all rounds but the last")
    options = parser.parse_args()
    share = max(1, int(options.users * options.share))
    sizes = [str(value) for value in (options.items, options.width, options.count, options.threads)]

    def ours(users):
        names = ["--users", str(users), "--items", sizes[0], "--width", sizes[1], "--count", sizes[2], "--threads", sizes[3]]
        return users, run([f"{options.programs}/ranking-benchmark", *names]).summary

    def theirs(python, program):
        return share, run([python, "-c", program, str(share), *sizes]).summary

    found = take_turns(options.rounds, {
        "ranking-benchmark": lambda number: ours(options.users if number == options.rounds - 1 else share),
        "torch": lambda _: theirs(options.torch, TORCH),
        "faiss": lambda _: theirs(options.faiss, FAISS),
    })
    rates = {}
    for name, runs in found.items():
        each = [users * options.items / run["seconds"] for users, run in runs]
        rates[name] = statistics.median(each)
        peak = max(run["peakMegabytes"] for _, run in runs)
        print(f"{name}: {rates[name] / 1e9:.3f} G scores/s ({min(each) / 1e9:.3f} to {max(each) / 1e9:.3f}), peak {peak} MiB, "
              f"users {', '.join(str(users) for users, _ in runs)}")
    whole = found["ranking-benchmark"][-1][1]
    reference = max(rates["torch"], rates["faiss"])
    print(json.dumps({
        "bench": "recommendations", "users": options.users, "items": options.items, "width": options.width,
        "count": options.count, "threads": options.threads, "seconds": whole["seconds"],
        "peakMegabytes": whole["peakMegabytes"], "share_of_bound": whole["share_of_bound"],
        "scoresPerSecond": int(rates["ranking-benchmark"]), "torchScoresPerSecond": int(rates["torch"]),
        "faissScoresPerSecond": int(rates["faiss"]), "referenceUsers": share,
        "ratio_to_reference": round(rates["ranking-benchmark"] / reference, 3),
    }))


if __name__ == "__main__":
    main()
