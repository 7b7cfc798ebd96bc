"""How long a deploy takes beside building and loading a shared library, and how long an error takes to be told.

deploy_latency takes the samples, each a line of JSON: it starts compilers without the delay that Python would add."""
import json

from harness import processes
from harness.report import median, number, percentile, table

STARTS = 5
ROUNDS_FOR_EACH = 8  # of bench.rounds: a deploy is short beside a measurement under load
TIME_S = 300
CWEB, GCC, TCC = "cweb", "gcc -O2", "tcc"
TITLES = {"counter": "modules/counter.c", "wide": "a module with all headers that modules are known to include"}


def measure(bench):
    processes.require("gcc", "tcc")
    rounds = ROUNDS_FOR_EACH * bench.rounds
    bench.progress(f"deploys: {rounds} rounds")
    command = [bench.peers.program("deploy_latency"), str(rounds), str(STARTS)]
    lines = processes.run(command, TIME_S, environment={"TMPDIR": bench.peers.directory}.items()).splitlines()
    samples = [json.loads(line) for line in lines]
    results = {}
    for module, title in TITLES.items():
        results[module] = {series: _digest(samples, module, series) for series in ("first", "later", "error")}
        _print(f"{title}, {rounds} rounds in turn, ms", results[module])
    _add_to_summary(bench.summary, results["counter"])
    return results | {"samples": samples}


def _digest(samples, module, series):
    """Figures of each way, and what the others need of it as a multiple of what cweb needs in the same round."""
    chosen = [sample for sample in samples if sample["module"] == module and sample["series"] == series]
    ways = {}
    for sample in chosen:
        ways.setdefault(sample["way"], []).append(sample)
    digest = {}
    for way, taken in ways.items():
        digest[way] = {"count": len(taken)}
        for key in ("wall_ms", "cpu_ms"):
            values = [sample[key] for sample in taken]
            digest[way] |= {key: median(values), f"{key[:-3]}_p95_ms": percentile(values, 0.95),
                            f"{key[:-3]}_ratio": median([value / own[key] for value, own in zip(values, ways[CWEB])])}
        if "stages" in taken[0]:
            digest[way]["stages"] = {stage: median([sample["stages"][stage] for sample in taken])
                                     for stage in taken[0]["stages"]}
    return digest


def _print(title, series_of):
    rows = []
    names = {"first": "first deploy after a start", "later": "later deploys", "error": "missing semicolon"}
    for series, ways in series_of.items():
        for way in filter(ways.__contains__, (CWEB, GCC, TCC)):
            figures = ways[way]
            rows.append([f"{names[series]}: {way}", number(figures["wall_ms"]), number(figures["wall_p95_ms"]),
                         number(figures["wall_ratio"]), number(figures["cpu_ms"]), number(figures["cpu_ratio"])])
    table(title, ["", "wall", "p95", "x cweb", "CPU", "x cweb"], rows)
    stages = series_of["later"][CWEB].get("stages", {})
    print("  later deploys by stage: " + ", ".join(f"{name} {number(value)}" for name, value in stages.items()))


def _add_to_summary(summary, counter):
    for series, name in (("later", "deploy"), ("first", "first deploy after a start")):
        ways = counter[series]
        summary.at_most(f"{name}, x gcc -O2 -shared + dlopen", 0.1, 1 / ways[GCC]["wall_ratio"], digits=3)
        summary.at_most(f"{name}, x tcc -shared + dlopen", 1.0, 1 / ways[TCC]["wall_ratio"])
    summary.at_most("error answer, x the deploy", 1.0,
                    counter["error"][CWEB]["wall_ms"] / counter["later"][CWEB]["wall_ms"])
