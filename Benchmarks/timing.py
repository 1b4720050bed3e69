"""What the comparisons share: whole processes with their times and memory, in rounds that take turns."""
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple


class Run(NamedTuple):
    """A process that ended well: wall seconds, processor seconds of all threads, the largest resident set, and what it printed."""

    seconds: float
    processor_seconds: float
    peak_mebibytes: float
    printed: str

    @property
    def last_line(self):
        return self.printed.strip().splitlines()[-1]

    @property
    def summary(self):
        """The last line as JSON."""
        return json.loads(self.last_line)


def run(command):
    """Runs a command to its end; stops this program with a message where it fails."""
    with tempfile.TemporaryFile() as printed:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=printed)
        # Of this child alone: RUSAGE_CHILDREN has the largest memory of all children so far.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{command[0]} ended with {process.returncode}")
        printed.seek(0)
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed.read().decode())


def take_turns(rounds, jobs):
    """Calls each of the named jobs with the number of the round, once a round: slow spells of the machine meet all alike.

    Returns lists of what they returned, by name.
    """
    results = {name: [] for name in jobs}
    for number in range(rounds):
        for name, job in jobs.items():
            results[name].append(job(number))
    return results
