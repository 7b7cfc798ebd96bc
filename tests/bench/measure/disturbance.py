"""What others notice: of deploys, and of peers that waste the server's time. They send at half of what the server can
do, when it is time and not when they were answered."""
import itertools
import time

from harness import load, modules
from harness.http_client import HttpClient
from harness.idle_peers import IdlePeers
from harness.report import median, number
from measure.memory import UNCHANGED, print_paced

DEPLOY_INTERVAL_S = 0.02
HALF_SENT = SILENT = 500


def hot_swap(bench):
    """Server, client and compiler go where the scheduler puts them, on as many threads as the server takes by itself."""
    program = bench.peers.program("paced_client")
    rounds = {"without": [], "with": []}
    deploys_ms = []
    with bench.peers.cweb(options=()) as server, HttpClient(server.port) as client:
        client.deploy(_version(0))
        server.wait_until_idle()
        capacity = load.wrk(server, 2, None, None, threads=2, path="/swapped")["requests_per_s"]
        for round_number in range(bench.rounds):
            bench.progress(f"hot swap, round {round_number + 1}")
            rounds["without"].append(load.paced(program, server, capacity / 2, bench.seconds, path="/swapped"))
            figures, round_deploys_ms = _paced_under_deploys(program, server, client, capacity / 2, bench.seconds)
            rounds["with"].append(figures)
            deploys_ms += round_deploys_ms
    ratio = median([swapped["p99_us"] / calm["p99_us"] for calm, swapped in zip(rounds["without"], rounds["with"])])
    print_paced(f"hot swap at half of capacity ({number(capacity / 2, 0)} requests/s), unpinned",
                {"without deploys": rounds["without"], "a deploy every 20 ms": rounds["with"]}, ratio)
    print(f"  {len(deploys_ms)} deploys, median {number(median(deploys_ms))} ms")
    bench.summary.at_most("hot swap: p99 with a deploy every 20 ms, x without", 3, ratio)
    return {"capacity": capacity, "p99_ratio": ratio, "deploys": len(deploys_ms), "deploy_ms": median(deploys_ms),
            "rounds": rounds}


_versions = itertools.count(1)


def _version(number_):
    return modules.answering("swapped", "/swapped", f"version {number_}")


def _paced_under_deploys(program, server, client, requests_per_s, seconds):
    deploys_ms = []
    with load.PacedLoad(program, server, requests_per_s, seconds, path="/swapped") as paced:
        due = time.monotonic()
        while paced.is_running():
            client.deploy(_version(next(_versions)))
            now = time.monotonic()
            deploys_ms.append((now - due) * 1e3)
            # One that takes longer than the interval delays the next and is not made up for.
            due = max(due + DEPLOY_INTERVAL_S, now)
            time.sleep(due - now)
        return paced.figures(), deploys_ms


def guard(bench):
    server_cores, client_cores = bench.core_pair(same_core=False)
    program = bench.peers.program("paced_client")
    rounds = {"without": [], "with": []}
    with bench.peers.start("cweb", server_cores) as server:
        capacity = load.wrk(server, 2, server_cores, client_cores)["requests_per_s"]
        for round_number in range(bench.rounds):
            bench.progress(f"guard, round {round_number + 1}")
            rounds["without"].append(load.paced(program, server, capacity / 2, bench.seconds, client_cores))
            with IdlePeers(server.port) as peers:
                peers.add_half_sent(HALF_SENT)
                peers.add_silent(SILENT)
                rounds["with"].append(load.paced(program, server, capacity / 2, bench.seconds, client_cores))
    ratio = median([beside["p99_us"] / alone["p99_us"] for alone, beside in zip(rounds["without"], rounds["with"])])
    print_paced(f"guard, at half of capacity ({number(capacity / 2, 0)} requests/s)",
                {"alone": rounds["without"],
                 f"beside {HALF_SENT} half-sent requests and {SILENT} silent peers": rounds["with"]}, ratio)
    bench.summary.at_most("guard: others' p99 beside 500 half-sent and 500 silent, x alone", UNCHANGED, ratio)
    return {"capacity": capacity, "p99_ratio": ratio, "rounds": rounds}
