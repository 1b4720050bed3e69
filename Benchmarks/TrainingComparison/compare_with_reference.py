#!/usr/bin/env python3
"""Training steps of h2rec beside the PyTorch reference: same data, same setting, same threads, in turn.

    compare_with_reference.py --programs .build-benchmarks/release --data work/1-preprocess --codes work/2-tokenize \\
        --reference path/to/h2rec_ref.py --reference-data path/to/prepared

The reference is a program with the command line `train --data FOLDER --time-only STEPS`, which ends its output with a JSON line that
holds `speed.positions_per_s`; FOLDER holds the same filtered log. A round runs every form and every different setting of the reference once; medians over the rounds are compared.
Without --reference, or without torch, our side runs alone and every line says "reference": null. Run it on a quiet machine.
"""
import argparse
import importlib.util
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from timing import run, take_turns

# name: (our options, the reference's options)
PUBLISHED = (["--loss", "bce", "--cross", "plain"], ["--loss", "bce", "--cross", "plain"])
SOFTMAX = (["--loss", "ce", "--cross", "none"], ["--loss", "ce", "--cross", "none"])
SAMPLED = (["--loss", "4096"] + SOFTMAX[0][2:], SOFTMAX[1])


def rounded(form):
    """The form with bfloat16 products on our side."""
    return form[0] + ["--precision", "bfloat16"], form[1]


FORMS = {
    "bce-plain": PUBLISHED, "bce-plain-bfloat16": rounded(PUBLISHED), "ce-none": SOFTMAX,
    "ce-none-bfloat16": rounded(SOFTMAX), "sampled-none": SAMPLED, "sampled-none-bfloat16": rounded(SAMPLED)}
SETTINGS = [(64, 50, 128), (64, 200, 128), (128, 50, 128), (64, 50, 512), (128, 50, 512)]


def ours(options, form, setting):
    dimension, longest, batch = setting
    return run(
        [f"{options.programs}/training-benchmark", "--data", options.data, "--codes", options.codes,
         "--dimension", str(dimension), "--max-length", str(longest), "--batch-size", str(batch),
         "--steps", str(options.steps), "--threads", str(options.threads), *FORMS[form][0]]).summary


def reference(options, form, setting):
    dimension, longest, batch = setting
    report = run(
        [sys.executable, options.reference, "train", "--data", options.reference_data, "--mode", "seq",
         "--codes-per-level", "256", "--dim", str(dimension), "--max-len", str(longest), "--batch", str(batch),
         "--time-only", str(options.steps), "--threads", str(options.threads), *FORMS[form][1]]).summary
    return report["speed"]["positions_per_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--codes", required=True)
    parser.add_argument("--reference")
    parser.add_argument("--reference-data")
    parser.add_argument("--forms", default=",".join(FORMS), help="of " + ", ".join(FORMS))
    parser.add_argument("--settings", default="all", help="places in the list of settings, from 0, or all")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    has_reference = bool(options.reference and options.reference_data and importlib.util.find_spec("torch"))
    settings = SETTINGS if options.settings == "all" else [SETTINGS[int(i)] for i in options.settings.split(",")]
    forms = options.forms.split(",")
    for setting in settings:
        jobs = {}
        for form in forms:
            jobs[form] = lambda _, form=form: ours(options, form, setting)
            # By the reference's options: forms that differ on our side alone share its runs.
            if has_reference:
                jobs.setdefault(tuple(FORMS[form][1]), lambda _, form=form: reference(options, form, setting))
        runs = take_turns(options.rounds, jobs)
        for form in forms:
            print(json.dumps(line(options, form, setting, runs[form], runs.get(tuple(FORMS[form][1])))), flush=True)


def line(options, form, setting, reports, reference_speeds):
    speeds = [report["positionsPerSecond"] for report in reports]
    middle = statistics.median(speeds)
    there = statistics.median(reference_speeds) if reference_speeds else None
    return {
        "bench": "training-comparison", "form": form, "dimension": setting[0], "maxLength": setting[1],
        "batchSize": setting[2], "threads": options.threads, "positionsPerSecond": middle, "spread": [min(speeds), max(speeds)],
        "share_of_bound": statistics.median(report["share_of_bound"] for report in reports),
        "reference": round(there) if there else None,
        "reference_spread": [min(reference_speeds), max(reference_speeds)] if there else None,
        "ratio_to_reference": round(middle / there, 2) if there else None,
    }


if __name__ == "__main__":
    main()
