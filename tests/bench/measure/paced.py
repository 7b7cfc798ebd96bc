"""Latencies of clients that send at half of what the server can do, with and without something that may disturb them.
They send when it is time and not when they were answered, so that they wait as people would."""
from harness import load
from harness.report import median, number, table

# p99 is a matter of few requests: two medians that differ by less are the same.
UNCHANGED = 1.1


def alternate(bench, title, rounds, calm, disturbed):
    """Measures both in turn; prints a table. Each is (name, function that returns the figures of a paced load)."""
    taken = {name: [] for name, _ in (calm, disturbed)}
    for round_number in range(rounds):
        bench.progress(f"{title}, round {round_number + 1}")
        for name, once in (calm, disturbed):
            taken[name].append(bench.undisturbed(once))
    before, after = taken.values()
    ratio = median([second["p99_us"] / first["p99_us"] for first, second in zip(before, after)])
    keys = ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")
    rows = []
    for name, measured in taken.items():
        medians = {key: median([figures[key] for figures in measured]) for key in (*keys, "server_us")}
        rows.append([name, *(number(medians[key], 0) for key in keys), number(medians["server_us"]),
                     number(max(figures["foreign"] for figures in measured))])
    table(f"{title}, {rounds} rounds of {bench.seconds} s: p99 x {number(ratio)}",
          ["", "p50 us", "p90 us", "p99 us", "p99.9 us", "max us", "server us", "foreign"], rows)
    return {"p99_ratio": ratio, "rounds": taken}


def others_beside(bench, title, disturbance, disturbed, rounds, start=None):
    """What the clients of cweb and of nginx notice of the same disturbance, the one after the other. `disturbed` is
    called with a server and with a function that measures, while the disturbance lasts. `start` is given a name and
    processors; by default it starts the servers of plain HTTP."""
    start = start or bench.peers.start
    server_cores, client_cores = bench.core_pair(same_core=False)
    program = bench.peers.program("paced_client")
    results = {}
    for name in ("cweb", "nginx"):
        with start(name, server_cores) as server:
            rate = load.wrk(server, 2, server_cores, client_cores)["requests_per_s"] / 2

            def alone():
                return load.paced(program, server, rate, bench.seconds, server_cores, client_cores)

            results[name] = alternate(bench, f"{title}, {name}, {number(rate, 0)} requests/s", rounds, ("alone", alone),
                                      (disturbance, lambda: disturbed(server, alone))) | {"requests_per_s": rate}
    ours, theirs = (median([figures["p99_us"] for figures in results[name]["rounds"][disturbance]])
                    for name in ("cweb", "nginx"))
    return results | {"p99_x_nginx": ours / theirs}
