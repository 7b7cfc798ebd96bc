"""Servers under the load of a client that asks as fast as it is answered, in turn, and a table of what came of it.

With a core of its own the client is slower than the fast ones of them, so that only processor time says anything; on
the same core the server always has work waiting, and its rate tells servers apart. Servers take turns, and a ratio is
the median of the ratios within a round: what slows the machine down for a while slows down all of them. "per CPU s" is
the requests for each second that server and client computed: on the same core of an idle machine it is requests/s, and
others who take the core away change it little."""
import dataclasses
import math
from collections.abc import Callable

from harness import load
from harness.report import median, number, spread, table

WARM_UP_S = 1


@dataclasses.dataclass(frozen=True)
class Contest:
    names: list
    reference: str  # the one that ratios are against
    start: Callable  # (name, server's cores) -> a server that runs
    # (server, seconds, server's cores, client's cores) -> the figures of a measurement, the rate as f"{unit}_per_s";
    # raises BenchError when an answer was wrong
    once: Callable
    unit: str = "requests"
    client: str = "wrk"
    latencies: bool = True

    @property
    def rate(self):
        return f"{self.unit}_per_s"


def compare(bench, title, contest, same_core=False):
    """The figures by server; prints them."""
    server_cores, client_cores = bench.core_pair(same_core)
    names = contest.names
    rounds = {name: [] for name in names}
    for round_number in range(bench.rounds):
        # Nobody has the same place in every round.
        turn = round_number % len(names)
        for name in names[turn:] + names[:turn]:
            with contest.start(name, server_cores) as server:
                contest.once(server, WARM_UP_S, server_cores, client_cores)
                figures = bench.undisturbed(lambda: contest.once(server, bench.seconds, server_cores, client_cores))
            rounds[name].append(figures)
            bench.progress(f"{title}, round {round_number + 1}: {name} {number(figures[contest.rate], 0)}/s")
    results = {name: _digest(contest, rounds[name], rounds[contest.reference]) | {"rounds": rounds[name]}
               for name in names}
    _print(f"{title}: {load.CONNECTIONS} connections, {bench.rounds} rounds of {bench.seconds} s", contest, results)
    return results


def _digest(contest, rounds, reference_rounds):
    # The kernel divides time by samples. One round has too few of them; of n of all rounds the error is the root of n.
    ticks, user_ticks = (sum(figures[key] for figures in rounds) for key in ("ticks", "user_ticks"))
    user_share = user_ticks / ticks if ticks else None
    keys = (contest.rate, "per_cpu_s", "p50_us", "p99_us", "server_us", "server_cores", "client_cores")
    digest = {key: median([figures[key] for figures in rounds]) for key in keys}
    digest["spread"] = spread([figures[contest.rate] for figures in rounds])
    digest["user_us"] = digest["server_us"] * user_share if user_share is not None else None
    digest["user_error_us"] = digest["user_us"] / math.sqrt(user_ticks) if user_ticks else None
    digest["foreign"] = max(figures["foreign"] for figures in rounds)
    for ratio, key in (("ratio", contest.rate), ("per_cpu_s_ratio", "per_cpu_s"), ("server_us_ratio", "server_us")):
        digest[ratio] = median([figures[key] / other[key] for figures, other in zip(rounds, reference_rounds)])
    return digest


def _print(title, contest, results):
    times_reference = f"x {contest.reference}"
    columns = ["", f"{contest.unit}/s", "spread", times_reference, "per CPU s", times_reference, "server us",
               times_reference, "of it user", "server cores", f"{contest.client} cores", "foreign"]
    if contest.latencies:
        columns += ["p50 us", "p99 us"]
    rows = []
    for name, row in sorted(results.items(), key=lambda item: -item[1][contest.rate]):
        cells = [name, number(row[contest.rate], 0), f"{row['spread'] * 100:.0f}%", number(row["ratio"]),
                 number(row["per_cpu_s"], 0), number(row["per_cpu_s_ratio"]), number(row["server_us"]),
                 number(row["server_us_ratio"]), f"{number(row['user_us'])} ±{number(row['user_error_us'])}",
                 number(row["server_cores"]), number(row["client_cores"]), number(row["foreign"])]
        if contest.latencies:
            cells += [number(row["p50_us"], 0), number(row["p99_us"], 0)]
        rows.append(cells)
    table(title, columns, rows)
