#!/usr/bin/env python3
"""What should stand in for the hash row of an item that the model was not trained with?

    h2rec-evaluate export --data RUN/1-preprocess --codes RUN/2-tokenize --model RUN/3-train --output VECTORS
    Scripts/read_shard.py RUN/2-tokenize codes --npy codes codes.npy
    compare_hash_halves.py VECTORS codes.npy

Takes items of the catalogue as if they were new, 600 of them, and looks at their scores for 2,000 users: with their own hash rows, and
with zeros, the mean of all rows, or the mean of the rows of the items that share a prefix of their codes. Needs NumPy. The code vectors and
the states have seen the items, so this flatters all candidates alike.
"""
import argparse
from collections import defaultdict

import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", help="folder with items.npy and users.npy of a model with both branches")
    parser.add_argument("codes", help="codes.npy, row = item")
    options = parser.parse_args()
    items, users = np.load(f"{options.vectors}/items.npy"), np.load(f"{options.vectors}/users.npy")
    codes = np.load(options.codes)
    half = items.shape[1] // 2
    random = np.random.default_rng(0)
    chosen = random.choice(len(items), min(600, len(items)), replace=False)
    users = users[random.choice(len(users), min(2000, len(users)), replace=False)]
    scores = users @ items.T
    tenth = np.sort(scores, 1)[:, -10]
    own = scores[:, chosen]
    peers = [defaultdict(list) for _ in range(codes.shape[1] + 1)]
    for item, row in enumerate(codes):
        for length, group in enumerate(peers):
            group[tuple(row[:length])].append(item)

    def mean_of_peers(item, longest):
        for length in range(longest, -1, -1):
            rows = [other for other in peers[length][tuple(codes[item, :length])] if other != item]
            if rows:
                return items[rows, :half].mean(0)

    candidates = [("zeros", np.zeros((len(chosen), half), np.float32))]
    for longest in range(codes.shape[1] + 1):
        name = "mean of all" if longest == 0 else f"peers, prefix up to {longest}"
        candidates.append((name, np.array([mean_of_peers(item, longest) for item in chosen])))
    print(f"own rows: {100 * (own >= tenth[:, None]).mean():.3f} % of the pairs in the user's top 10")
    for name, rows in candidates:
        found = users[:, :half] @ rows.T + users[:, half:] @ items[chosen, half:].T
        inside, wanted = found > tenth[:, None], own >= tenth[:, None]
        percentile = np.mean([(scores < found[:, [place]]).mean() for place in range(0, len(chosen), 20)])
        print(f"{name}: error {np.sqrt(((found - own) ** 2).mean()):.2f}, {100 * inside.mean():.3f} % in the top 10, "
              f"of these right {100 * (inside & wanted).sum() / max(1, inside.sum()):.0f} %, "
              f"of the right ones found {100 * (inside & wanted).sum() / wanted.sum():.0f} %, mean percentile {100 * percentile:.0f}")


if __name__ == "__main__":
    main()
