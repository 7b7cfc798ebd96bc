"""Benchmarks that are programs of their own, print their own tables, and fail when an answer was wrong on the way."""
from harness import processes

TIME_S = 120


def blocked_handlers(bench):
    return _show(bench, "blocked_handlers")


def swap_under_full_load(bench):
    return _show(bench, "hot_swap_under_wrk")


def compiler_alone(bench):
    return _show(bench, "jit_bench", f"{bench.project}/modules/counter.c")


def _show(bench, name, *arguments):
    bench.progress(name)
    text = processes.run([bench.peers.program(name), *arguments], TIME_S)
    bench.progress("")
    print(f"\n{text}", end="", flush=True)
    return {"text": text}
