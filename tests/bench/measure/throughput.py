"""Requests per second and what one costs: cweb with the counter, nginx, h2o and a floor, on one thread each.

With a core of its own wrk is slower than any of them, so that only processor time says anything; on the same core the
server always has work waiting, and requests/s tell servers apart. Servers take turns, and a ratio is the median of the
ratios within a round: what slows the machine down for a while slows down all of them. "per CPU s" is requests for each
second that server and wrk computed: on the same core of an idle machine it is requests/s, and others who take the core
away change it little."""
import math
import os
import sys

from harness import load
from harness.processes import BenchError
from harness.report import median, number, spread, table

PEERS = ["cweb", "nginx", "h2o", "floor"]
REFERENCE = "nginx"
WARM_UP_S = 1
# Long beside the calls with which connections are made.
TRACED_S = 4
SCRIPTS = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, "peers"))


def keepalive(bench):
    same_core = _compare(bench, "keep-alive, server and wrk on the same core", same_core=True)
    results = {"same_core": same_core}
    if len(bench.cores) > 1:
        results["own_cores"] = _compare(bench, "keep-alive, server and wrk on a core each (wrk is the bound)")
    try:
        results["system_calls"] = _system_calls(bench)
    except BenchError as error:  # not everybody may look at processes
        print(f"keepalive: {error}", file=sys.stderr)
    bench.summary.at_least("keep-alive on the same core, x nginx's requests/s", 1.03, same_core["cweb"]["ratio"])
    bench.summary.at_most("user CPU per request", 0.7, same_core["cweb"]["user_us"], "us")
    bench.summary.at_most("system calls per request", 2.05,
                          results.get("system_calls", {}).get("cweb", {}).get("all"), digits=3)
    return results


def pipelined(bench):
    """A batch's latency says nothing of a request's, so it is left out. cweb knows headers that come again, as those of
    most clients do; the second table is without that."""
    same = _compare(bench, "pipelined 16 deep, a core each", latencies=False, script=f"{SCRIPTS}/pipelined.lua")
    differing = _compare(bench, "the same, each request with other headers than the one before", latencies=False,
                         script=f"{SCRIPTS}/pipelined_differing.lua")
    bench.summary.at_least("pipelined 16 deep, x nginx's requests/s", 6, same["cweb"]["ratio"])
    return {"same_headers": same, "differing_headers": differing}


def connections(bench):
    results = _compare(bench, "a connection per request, a core each", headers=["Connection: close"])
    bench.summary.at_most("a connection per request, x nginx's server CPU", 1.1, results["cweb"]["server_us_ratio"])
    return results


def _compare(bench, title, same_core=False, latencies=True, **wrk_options):
    server_cores, client_cores = bench.core_pair(same_core)
    rounds = {name: [] for name in PEERS}
    for round_number in range(bench.rounds):
        # Nobody has the same place in every round.
        turn = round_number % len(PEERS)
        for name in PEERS[turn:] + PEERS[:turn]:
            with bench.peers.start(name, server_cores) as server:
                load.wrk(server, WARM_UP_S, server_cores, client_cores, **wrk_options)
                figures = bench.undisturbed(
                    lambda: load.wrk(server, bench.seconds, server_cores, client_cores, **wrk_options))
            if figures["errors"] or figures["non_2xx"]:
                raise BenchError(f"{name}: {figures['errors']} socket errors and {figures['non_2xx']} refused requests")
            rounds[name].append(figures)
            bench.progress(f"{title}, round {round_number + 1}: {name} {number(figures['requests_per_s'], 0)}/s")
    results = {name: _digest(rounds[name], rounds[REFERENCE]) | {"rounds": rounds[name]} for name in PEERS}
    _print(title, bench, results, latencies)
    return results


def _digest(rounds, reference_rounds):
    # The kernel divides time by samples. One round has too few of them; of n of all rounds the error is the root of n.
    ticks, user_ticks = (sum(figures[key] for figures in rounds) for key in ("ticks", "user_ticks"))
    user_share = user_ticks / ticks if ticks else None
    keys = ("requests_per_s", "per_cpu_s", "p50_us", "p99_us", "server_us", "server_cores", "client_cores")
    digest = {key: median([figures[key] for figures in rounds]) for key in keys}
    digest["spread"] = spread([figures["requests_per_s"] for figures in rounds])
    digest["user_us"] = digest["server_us"] * user_share if user_share is not None else None
    digest["user_error_us"] = digest["user_us"] / math.sqrt(user_ticks) if user_ticks else None
    digest["foreign"] = max(figures["foreign"] for figures in rounds)
    for ratio, key in (("ratio", "requests_per_s"), ("per_cpu_s_ratio", "per_cpu_s"), ("server_us_ratio", "server_us")):
        digest[ratio] = median([figures[key] / other[key] for figures, other in zip(rounds, reference_rounds)])
    return digest


def _print(title, bench, results, latencies):
    columns = ["", "requests/s", "spread", "x nginx", "per CPU s", "x nginx", "server us", "x nginx", "of it user",
               "server cores", "wrk cores", "foreign"]
    if latencies:
        columns += ["p50 us", "p99 us"]
    rows = []
    for name, row in sorted(results.items(), key=lambda item: -item[1]["requests_per_s"]):
        cells = [name, number(row["requests_per_s"], 0), f"{row['spread'] * 100:.0f}%", number(row["ratio"]),
                 number(row["per_cpu_s"], 0), number(row["per_cpu_s_ratio"]), number(row["server_us"]),
                 number(row["server_us_ratio"]), f"{number(row['user_us'])} ±{number(row['user_error_us'])}",
                 number(row["server_cores"]), number(row["client_cores"]), number(row["foreign"])]
        rows.append(cells + [number(row["p50_us"], 0), number(row["p99_us"], 0)] if latencies else cells)
    table(f"{title}: {load.CONNECTIONS} connections, {bench.rounds} rounds of {bench.seconds} s", columns, rows)


def _system_calls(bench):
    server_cores, client_cores = bench.core_pair(same_core=False)
    results = {}
    for name in PEERS:
        with bench.peers.start(name, server_cores) as server:
            results[name] = load.system_calls(server, TRACED_S, client_cores)
    rows = []
    for name, calls in results.items():
        often = sorted(((count, call) for call, count in calls["by_name"].items() if count >= 0.005), reverse=True)
        which = ", ".join(f"{call} {count:.2f}" for count, call in often)
        rows.append([name, number(calls["all"], 3), number(calls["requests_per_s"], 0), which])
    table("system calls per keep-alive request, all the time busy and traced", ["", "all", "requests/s", "which"], rows)
    return results
