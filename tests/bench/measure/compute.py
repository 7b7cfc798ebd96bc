"""A handler that computes, beside the same C built ahead of time: the processor time of a call in the server, with all
that the server does around it, and of a call in a loop."""
import os

from harness import processes
from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.report import median, number, percentile, table

CALLS = 20
ROUNDS_FOR_EACH = 3  # of bench.rounds: a round is short
# Much to compute and little to send.
PARAMETERS = {"width": "128", "height": "128", "iterations": "4000"}
FLAGS = ["-O3", "-march=native"]


def measure(bench):
    processes.require("clang-19")
    native = _build(bench)
    cores, _ = bench.core_pair(same_core=True)
    path = "/mandelbrot?" + "&".join(f"{name}={value}" for name, value in PARAMETERS.items())
    native_ms, cweb_ms = [], []
    with bench.peers.cweb(cores) as server, HttpClient(server.port) as client:
        client.deploy(bench.peers.project_text("modules/mandelbrot.c"))
        server.wait_until_idle()
        _call(server, client, path, 1)
        for round_number in range(ROUNDS_FOR_EACH * bench.rounds):
            bench.progress(f"mandelbrot, round {round_number + 1}")
            native_ms.append(float(processes.run(native, 60, cores)) / 1e6)
            cweb_ms.append(_call(server, client, path, CALLS))
    ratios = [cweb / alone for alone, cweb in zip(native_ms, cweb_ms)]
    ratio = median(ratios)
    table(f"mandelbrot, {' x '.join(PARAMETERS.values())}, {len(ratios)} rounds of {CALLS} calls, CPU ms per call",
          ["", "median", "least", "most"],
          [[name, *(number(figure, 3) for figure in (median(values), min(values), max(values)))]
           for name, values in ((f"clang-19 {' '.join(FLAGS)}", native_ms), ("in cweb", cweb_ms),
                                ("ratio in a round", ratios))])
    bench.summary.at_most("mandelbrot: CPU per call, x clang-19 -O3 -march=native", 1.03, ratio, digits=3)
    return {"native_ms": native_ms, "cweb_ms": cweb_ms, "ratio": ratio, "ratio_p10": percentile(ratios, 0.1),
            "ratio_p90": percentile(ratios, 0.9)}


def _build(bench):
    """The command that measures the module without a server."""
    program = os.path.join(bench.peers.directory, "native_calls")
    sources = [os.path.join(bench.project, "modules", "mandelbrot.c"),
               os.path.join(bench.project, "tests", "bench", "peers", "native_calls.c")]
    include = os.path.join(bench.project, "include")
    processes.run(["clang-19", *FLAGS, "-I", include, "-o", program, *sources, "-lm"], 60)
    return [program, str(CALLS), *(word for pair in PARAMETERS.items() for word in pair)]


def _call(server, client, path, count):
    before = processes.cpu_seconds(server.pids())
    for _ in range(count):
        status, body = client.get(path)
        if status != 200 or not body.startswith(b"BM"):
            raise BenchError(f"{path} is answered with {status} {body[:100]!r}")
    return (processes.cpu_seconds(server.pids()) - before) / count * 1e3
