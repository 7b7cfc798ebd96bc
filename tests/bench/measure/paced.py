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
