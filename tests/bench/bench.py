#!/usr/bin/env python3
"""Measures cweb beside what it is compared with, prints tables, and writes the figures as JSON.

`make bench` builds what this needs and calls it. Figures of one run are ratios of interleaved rounds: compare those,
not the absolute figures of two runs."""
import argparse
import atexit
import datetime
import os
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import load, machine, processes  # noqa: E402
from harness.processes import BenchError  # noqa: E402
from harness.report import Summary, write_json  # noqa: E402
from harness.servers import Peers  # noqa: E402
from measure import (compute, deploys, disturbance, fault_torture, faults, memory, programs, restarts,  # noqa: E402
                     throughput, tls, watching, websockets)

PROJECT = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
DESCRIPTORS = 65_536

GROUPS = {
    "keepalive": throughput.keepalive,
    "pipelined": throughput.pipelined,
    "connections": throughput.connections,
    "tls": tls.measure,
    "deploys": deploys.measure,
    "modules": memory.live_modules,
    "many-deploys": memory.many_deploys,
    "idle": memory.idle_connections,
    "compute": compute.measure,
    "swap": disturbance.hot_swap,
    "guard": disturbance.guard,
    "websockets": websockets.measure,
    "swap-at-full-load": programs.swap_under_full_load,
    "faults": faults.measure,
    "restart": restarts.measure,
    "watch": watching.measure,
    "fault-torture": fault_torture.measure,
    "blocked": programs.blocked_handlers,
    "jit": programs.compiler_alone,
}


class Bench:
    """What every measurement is given."""

    def __init__(self, arguments):
        self.rounds = arguments.rounds
        self.seconds = arguments.seconds
        self.cores = machine.usable_cores()
        self.descriptors = machine.raise_descriptor_limit(DESCRIPTORS)
        self.project = PROJECT
        self.peers = Peers(arguments.build, PROJECT, arguments.before)
        self.has_before = arguments.before is not None
        self.summary = Summary()
        self.most_foreign = 0.0

    def core_pair(self, same_core):
        """(the server's processors, the client's)"""
        first = self.cores[:1]
        return first, first if same_core else self.cores[1:2] or first

    def undisturbed(self, measure):
        """The first measurement that others did not disturb; when all were, the one that they disturbed least."""
        figures = load.undisturbed(measure)
        self.most_foreign = max(self.most_foreign, figures["foreign"])
        return figures

    @staticmethod
    def progress(text):
        """A line that the next one overwrites; nothing where nobody watches."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="length of one measurement under load (%(default)s)")
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"), metavar="DIR")
    parser.add_argument("--before", metavar="FILE", help="another build's cweb, measured beside under that name "
                        "in keepalive, pipelined and connections: what a change costs")
    parser.add_argument("--json", default=os.path.join(PROJECT, "build", "bench"), metavar="DIR")
    arguments = parser.parse_args()
    arguments.groups = arguments.groups or list(GROUPS)
    for name in arguments.groups:
        if name not in GROUPS:
            parser.error(f"there is no group '{name}'; the groups are {', '.join(GROUPS)}")
    if arguments.rounds < 1 or arguments.seconds < 1:
        parser.error("--rounds and --seconds are 1 at the least")
    return arguments


def main():
    arguments = parse_arguments()
    # SIGTERM unwinds as Ctrl-C does, so that every `with` and `finally` ends its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    processes.require("taskset", "wrk", "nginx")
    bench = Bench(arguments)
    atexit.register(bench.peers.close)
    about = {"machine": machine.description(), "date": datetime.datetime.now().isoformat(timespec="seconds"),
             "rounds": bench.rounds, "seconds": bench.seconds}
    print(f"{about['machine']}, {about['date']}")
    failed = []
    for name in arguments.groups:
        started = time.monotonic()
        try:
            figures = GROUPS[name](bench)
        except (BenchError, OSError) as error:
            bench.progress("")
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(name)
            continue
        bench.progress("")
        write_json(arguments.json, name, about | {"took_s": round(time.monotonic() - started), "figures": figures})
    bench.summary.print()
    if bench.most_foreign > load.FOREIGN_LIMIT:
        print(f"Others took up to {bench.most_foreign:.2f} cores of those measured on, and repeating did not help: the "
              "figures are uncertain.")
    write_json(arguments.json, "summary", about | {"groups": arguments.groups, "failed": failed,
                                                   "most_foreign": bench.most_foreign, "rows": bench.summary.rows})
    print(f"Figures as JSON: {os.path.relpath(arguments.json)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BenchError as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
