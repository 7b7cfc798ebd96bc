"""What stays resident: of an idle server, a live module, an idle connection, and after thousands of deploys."""
import json
import time

from harness import load, modules, processes
from harness.http_client import HttpClient
from harness.idle_peers import IdlePeers
from harness.processes import BenchError
from harness.report import median, number, table
from harness.servers import PATH
from measure.paced import UNCHANGED, others_beside

LIVE_MODULES = 1_000
IDLE_CONNECTIONS = 20_000
DEPLOYS = 10_000
DEPLOYS_OF_REFERENCE = 100
# Those of this process and of the server beside its connections.
SPARE_DESCRIPTORS = 1_000
RETIRING_TIME_S = 30
# Two medians of processor time per request that differ by less are the same.
FLAT = 1.05


def live_modules(bench):
    results = {"idle": _idle(bench)} | _many_modules(bench)
    bench.summary.at_most("1,000 modules live: resident each", 200, results["module_kib"], "KiB", digits=1)
    bench.summary.at_most("1,000 modules live: server CPU per request, x with one", FLAT, results["cpu_ratio"])
    return results


def _idle(bench):
    with bench.peers.cweb() as server:
        server.wait_until_idle()
        helpers = server.pids()[1:]
        idle = {"server_kib": processes.resident_kib(server.pid),
                "server_proportional_kib": processes.proportional_kib(server.pid),
                "helpers": len(helpers),
                "helpers_proportional_kib": sum(map(processes.proportional_kib, helpers))}
    table("resident memory, idle, --threads 1, KiB", ["", "resident", "its share (PSS)"],
          [["server", number(idle["server_kib"], 0), number(idle["server_proportional_kib"], 0)],
           [f"its {idle['helpers']} compile helpers", "", number(idle["helpers_proportional_kib"], 0)]])
    return idle


def _many_modules(bench):
    """Two servers take turns, one with a single module and one with all; both are asked for the same module."""
    server_cores, client_cores = bench.core_pair(same_core=True)
    with bench.peers.cweb(server_cores) as few, bench.peers.cweb(server_cores) as many:
        with HttpClient(few.port) as client:
            client.deploy(_numbered(LIVE_MODULES // 2))
        figures = _fill(bench, many)
        path = f"/numbered/{LIVE_MODULES // 2}"
        costs = {"few": [], "many": []}
        for server in (few, many):
            server.wait_until_idle()
            load.wrk(server, 1, server_cores, client_cores, path=path)
        for round_number in range(bench.rounds):
            bench.progress(f"look-up with 1 and {LIVE_MODULES} modules, round {round_number + 1}")
            for name, server in (("few", few), ("many", many)):
                costs[name].append(bench.undisturbed(
                    lambda: load.wrk(server, bench.seconds, server_cores, client_cores, path=path)))
    for key, source in (("rate_ratio", "requests_per_s"), ("cpu_ratio", "server_us")):
        figures[key] = median([after[source] / before[source] for before, after in zip(costs["few"], costs["many"])])
    rows = [[f"{count:,} live", number(median([cost["requests_per_s"] for cost in costs[name]]), 0),
             number(median([cost["server_us"] for cost in costs[name]]))]
            for name, count in (("few", 1), ("many", LIVE_MODULES))]
    rows.append(["ratio", number(figures["rate_ratio"]), number(figures["cpu_ratio"])])
    table("one of the modules under load, on the same core as wrk", ["", "requests/s", "server us"], rows)
    return figures


def _numbered(number):
    return modules.answering(f"numbered{number}", f"/numbered/{number}", f"module {number}")


def _fill(bench, server):
    with HttpClient(server.port) as client:
        # What the first deploys bring is the compiler's and stays with any number of modules.
        for number_ in range(50):
            client.deploy(modules.answering("warm_up", "/warm_up", str(number_)))
        server.wait_until_idle()
        before = _facts(server)
        for module in range(LIVE_MODULES):
            client.deploy(_numbered(module))
            if module % 50 == 0:
                bench.progress(f"{module} of {LIVE_MODULES} modules")
        after = _facts(server)
        for module in range(LIVE_MODULES):
            status, body = client.get(f"/numbered/{module}")
            if status != 200 or body.decode() != f"module {module}\n":
                raise BenchError(f"module {module} of {LIVE_MODULES} answers {status} {body[:80]!r}")
        answered = _facts(server)
    each = {f"module_{key}": (answered[key] - before[key]) / LIVE_MODULES for key in before}
    rows = [[name, *(number(facts[key], 0) for key in ("kib", "mappings", "descriptors"))]
            for name, facts in (("before", before), (f"{LIVE_MODULES:,} more live", after), ("all asked", answered))]
    rows.append(["each", *(number(each[f"module_{key}"]) for key in ("kib", "mappings", "descriptors"))])
    table(f"{LIVE_MODULES:,} different modules live", ["", "resident KiB", "mappings", "descriptors"], rows)
    return each | {"before": before, "after": after, "answered": answered}


def _facts(server):
    return {"kib": processes.resident_kib(server.pid), "mappings": processes.mappings(server.pid),
            "descriptors": processes.descriptors(server.pid)}


def many_deploys(bench):
    """Deploys of one module, one after the other: what there is after a hundred, and after all."""
    facts = {}
    with bench.peers.cweb() as server, HttpClient(server.port) as client:
        for deploy in range(1, DEPLOYS + 1):
            client.deploy(modules.answering("again", "/again", f"version {deploy}"))
            if deploy in (DEPLOYS_OF_REFERENCE, DEPLOYS // 10, DEPLOYS):
                _wait_until_retired(client)
                facts[deploy] = _facts(server)
            if deploy % 50 == 0:
                bench.progress(f"{deploy} of {DEPLOYS} deploys")
        status, body = client.get("/again")
        if (status, body.decode()) != (200, f"version {DEPLOYS}\n"):
            raise BenchError(f"after {DEPLOYS} deploys the module answers {status} {body[:80]!r}")
    table("deploys of one module", ["", "resident KiB", "mappings", "descriptors"],
          [[f"after {deploy:,}", *(number(taken[key], 0) for key in ("kib", "mappings", "descriptors"))]
           for deploy, taken in facts.items()])
    first, last = facts[DEPLOYS_OF_REFERENCE], facts[DEPLOYS]
    bench.summary.at_most("10,000 deploys: resident, x after 100", 1.1, last["kib"] / first["kib"], digits=3)
    # Arenas and thread stacks come and go; a leak would be thousands.
    bench.summary.at_most("10,000 deploys: mappings, x after 100", 1.1, last["mappings"] / first["mappings"])
    bench.summary.at_most("10,000 deploys: more descriptors than after 100", 0,
                          last["descriptors"] - first["descriptors"], digits=0)
    return facts


def _wait_until_retired(client):
    end = time.monotonic() + RETIRING_TIME_S
    while True:
        _, body = client.get("/mgnt/modules/again")
        if not json.loads(body).get("draining"):
            return
        if time.monotonic() > end:
            raise BenchError(f"old versions are not gone {RETIRING_TIME_S} s after the last deploy: {body[:200]!r}")
        time.sleep(0.01)


def idle_connections(bench):
    server_cores, _ = bench.core_pair(same_core=False)
    wanted = min(IDLE_CONNECTIONS, bench.descriptors - SPARE_DESCRIPTORS)
    with bench.peers.start("cweb", server_cores) as server:
        count, server_kib, kernel_kib = _cost_of_idle(server, wanted)
    if count < IDLE_CONNECTIONS:
        print(f"The limits of descriptors (ulimit -n: {bench.descriptors}) and connections allow {count:,}.")
    table(f"{count:,} idle keep-alive connections", ["", "KiB each"],
          [["resident in the server", number(server_kib)], ["in the kernel, for both ends", number(kernel_kib)]])

    def beside_idle(server, measured):
        with IdlePeers(server.port) as peers:
            peers.add_answered(count, PATH)
            figures = measured()
            if (closed := count - peers.open_count()) > 0:
                raise BenchError(f"{server.name} closed {closed} of {count} idle connections")
            return figures

    results = others_beside(bench, "others", f"beside {count:,} idle connections", beside_idle, min(bench.rounds, 3))
    what = f"{count:,} idle connections"
    bench.summary.at_most(f"{what}: resident each", 4, server_kib, "KiB")
    bench.summary.at_most(f"{what}: others' p99, x without", UNCHANGED, results["cweb"]["p99_ratio"])
    bench.summary.at_most(f"{what}: others' p99, x nginx's", UNCHANGED, results["p99_x_nginx"])
    return results | {"count": count, "server_kib": server_kib, "kernel_kib": kernel_kib}


def _cost_of_idle(server, wanted):
    """(connections, KiB each in the server, KiB each in the kernel). The first of them bring what the others share."""
    with IdlePeers(server.port) as peers:
        first = peers.add_answered(wanted // 20, PATH)
        before, kernel_before = processes.resident_kib(server.pid), _kernel_network_kib()
        more = peers.add_answered(wanted - first, PATH)
        if more == 0:
            raise BenchError(f"the server takes no more than {first} connections")
        return (first + more, (processes.resident_kib(server.pid) - before) / more,
                (_kernel_network_kib() - kernel_before) / more)


def _kernel_network_kib():
    """Memory of the kernel's objects and of its socket buffers, of all processes."""
    total = 0
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("Slab:"):
                total += int(line.split()[1])
    with open("/proc/net/sockstat") as file:
        for line in file:
            if line.startswith("TCP:"):
                total += int(line.split()[-1]) * 4
    return total
