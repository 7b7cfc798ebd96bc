"""Child processes, each of which is ended whatever happens to the measurement, and what the kernel accounts to them."""
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """Something that the person who measures has to know and can act upon. The text is the whole message."""


def require(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise BenchError(f"{program} is not installed; cmake/install-dependencies bench installs it")


def _end_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def pinned(command, cores):
    """The command on these processors; on any when `cores` is None."""
    if cores is None:
        return list(command)
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def start(command, **options):
    """Popen of a program that dies with this one and does not see its Ctrl-C: whoever started it ends it."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent, **options)


def run(command, timeout_s, cores=None, environment=()):
    """Standard output of a program that has to succeed."""
    process = start(pinned(command, cores), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                    env=os.environ | dict(environment))
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{command[0]} did not end within {timeout_s} s") from None
    finally:
        end(process)
    if process.returncode != 0:
        raise BenchError(f"{' '.join(command)} failed with {process.returncode}:\n{out}{err}".rstrip())
    return out


def end(process):
    """SIGTERM, and SIGKILL for it and its descendants when that does not help."""
    if process.poll() is not None:
        return
    descendants = tree(process.pid)
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        for pid in descendants:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def tree(pid):
    """The process and its descendants."""
    found, open_ends = [], [pid]
    while open_ends:
        process = open_ends.pop()
        found.append(process)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{task}/children") as file:
                    open_ends += map(int, file.read().split())
    return found


def cpu_seconds(pids):
    """Processor time of all threads that live, to the nanosecond."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
    return total / 1e9


def user_and_kernel_ticks(pids):
    """How the kernel's clock, which looks a few hundred times a second, divides that time."""
    user = kernel = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            user += int(fields[11])
            kernel += int(fields[12])
    return user, kernel


def resident_kib(pid):
    return _status_kib(pid, "VmRSS")


def begin_peak(pid):
    """From now on peak_kib() is the most since now; before, it is the most since the process started."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5\n")


def peak_kib(pid):
    """The most that has been resident at a time."""
    return _status_kib(pid, "VmHWM")


def _status_kib(pid, name):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


def proportional_kib(pid):
    """Resident memory in which what n processes share counts as an nth."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def mappings(pid):
    with open(f"/proc/{pid}/maps") as file:
        return sum(1 for _ in file)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
