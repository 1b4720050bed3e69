#!/usr/bin/env python3
"""The quantisers of h2rec-tokenize on prepared data: what the codes are like, and what a model makes of them.

    compare_quantizers.py --programs .build/release --data work/1-preprocess --work work/quantizers --seeds 42,43,44

--data is an output of h2rec-preprocess. Each quantiser gets a folder under --work with its codes and, for each seed, a model
and its evaluation; what is there already is not made again, so the script can be stopped and started. Without --seeds the
models are left out. Prints a Markdown table: mean, and standard deviation over the seeds. Needs the standard library alone.
"""
import argparse
import json
import os
import statistics
import subprocess

FOUR = ["--codebooks", "256,256,256,256"]
QUANTIZERS = {
    "rq-kmeans": FOUR,
    "rq-kmeans, cosine first": FOUR + ["--distance", "cosine,cosine,cosine,l2"],
    "rq-kmeans, balanced": FOUR + ["--balanced"],
    "rq-kmeans, whitened": FOUR + ["--whiten"],
    "pq": ["pq"] + FOUR,
    "opq": ["opq"] + FOUR,
    "vq": ["vq"] + FOUR,
    "rq-vae": ["rq-vae"] + FOUR,
    "coarse-rq-vae": ["coarse-rq-vae"] + FOUR,
    "rq-vae, taught by categories": ["rq-vae"] + FOUR + [
        "--supervision", "0.55", "--tag-alignment", "0.15", "--uniqueness", "1.5"],
    "rq-vae, published (4 x 128, cosine)": [
        "rq-vae", "--codebooks", "128,128,128,128", "--distance", "cosine", "--pca", "0"],
}


def done(folder):
    return os.path.exists(os.path.join(folder, "manifest.json"))


def report(folder):
    with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
        return json.load(file)


def spread(values, places=4):
    text = f"{statistics.mean(values):.{places}f}"
    return text + (f" ± {statistics.stdev(values):.{places}f}" if len(values) > 1 else "")


def codes_of(name, given):
    """The folder of the codes of a quantiser, made if it is missing."""
    folder = os.path.join(given.work, "".join(c if c.isalnum() or c == "-" else "_" for c in name))
    codes = os.path.join(folder, "2")
    if not done(codes):
        options = QUANTIZERS[name]
        pca = [] if "--pca" in options else ["--pca", str(given.pca)]
        program = os.path.join(given.programs, "h2rec-tokenize")
        subprocess.run(
            [program, *options, *pca, "--data", given.data, "--output", codes, "--threads", str(given.threads), "--quiet"],
            check=True, stdout=subprocess.DEVNULL)
    return folder, codes


def model_of(folder, codes, seed, given):
    """Validation metric, and the evaluation of a model with these codes, made if they are missing."""
    model, evaluation = (os.path.join(folder, f"{stage}-{seed}") for stage in "34")
    run = lambda program, *options: subprocess.run(
        [os.path.join(given.programs, program), "--data", given.data, "--codes", codes, "--threads", str(given.threads),
         "--quiet", *options], check=True, stdout=subprocess.DEVNULL)
    if not done(model):
        run("h2rec-train", "--output", model, "--seed", str(seed), "--cross", "none", "--dimension", str(given.dimension),
            "--alignment-weight", "0.1", *given.train_options.split())
    if not done(evaluation):
        run("h2rec-evaluate", "--model", model, "--output", evaluation)
    with open(os.path.join(model, "manifest.json"), encoding="utf-8") as file:
        counters = json.load(file)["counters"]
    return counters["validationNdcg@10"], report(evaluation)["protocols"]["full"]


def row(name, given):
    folder, codes = codes_of(name, given)
    found = report(codes)
    levels = found["levels"]
    cells = [
        name, f"{100 * statistics.mean(level['utilization'] for level in levels):.1f} %",
        ", ".join(f"{level['entropy']:.2f}" for level in levels), f"{100 * found['collisions']['rate']:.1f} %",
        f"{100 * found['quantization']['relativeError']:.1f} %"]
    if given.seeds:
        runs = [model_of(folder, codes, seed, given) for seed in given.seeds.split(",")]
        cells.append(spread([validation for validation, _ in runs]))
        cells += [spread([full[group]["ndcg@10"] for _, full in runs]) for group in ("overall", "head", "tail")]
    return "| " + " | ".join(cells) + " |"


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--programs", required=True, help="folder of the h2rec programs")
    options.add_argument("--data", required=True, help="output of h2rec-preprocess")
    options.add_argument("--work", required=True, help="folder for codes, models and evaluations")
    options.add_argument("--seeds", default="", help="seeds of the models, for example 42,43,44; none for codes alone")
    options.add_argument("--pca", type=int, default=64, help="components before the quantisers, as wide as the model")
    options.add_argument("--dimension", type=int, default=64)
    options.add_argument("--train-options", default="--precision bfloat16")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--only", default="", help="quantisers whose names contain this")
    given = options.parse_args()
    head = ["quantiser", "utilisation", "entropy by level (nats)", "collisions", "error"]
    if given.seeds:
        head += ["validation NDCG@10", "NDCG@10", "head", "tail"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
    for name in QUANTIZERS:
        if given.only in name:
            print(row(name, given), flush=True)


if __name__ == "__main__":
    main()
