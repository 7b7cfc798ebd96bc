"""What the machine is, and who used its processors meanwhile."""
import os
import platform
import resource

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def description():
    """Processors, kernel and time of measuring, for the reader of a table."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}"


def usable_cores():
    return sorted(os.sched_getaffinity(0))


def busy_seconds(cores):
    """Seconds that these processors have worked or were taken away (steal) since the machine started."""
    total = 0
    with open("/proc/stat") as file:
        for line in file:
            fields = line.split()
            if fields[0].startswith("cpu") and fields[0][3:].isdigit() and int(fields[0][3:]) in cores:
                user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[1:9])
                total += user + nice + system + irq + softirq + steal
    return total / TICKS_PER_SECOND


def raise_descriptor_limit(wanted):
    """The number of descriptors that this process and its children may have from now on; at most `wanted`, or more
    when there were more already. Only root can pass the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((wanted, max(wanted, hard)), (min(wanted, hard), hard)):
        if soft >= limit[0]:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            break
        except (ValueError, PermissionError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
