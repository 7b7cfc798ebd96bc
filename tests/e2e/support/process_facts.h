// What the kernel says about a process, read from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cweb::e2e {

struct ProcessFacts {
  long resident_kb = 0;
  long mappings = 0;
  long descriptors = 0;
  long threads = 0;
};
ProcessFacts facts_of(pid_t pid);

/// Direct children that are alive.
std::vector<pid_t> children_of(pid_t pid);
/// Direct children that have ended and that nobody has asked about.
std::vector<pid_t> zombies_of(pid_t pid);
/// Processor time used so far, in clock ticks; -1 when there is no such process.
long processor_ticks_of(pid_t pid);
/// The name of a thread, as it gave it to itself.
std::string name_of(pid_t thread);
/// Ids of all threads of a process.
std::vector<pid_t> threads_of(pid_t pid);
/// Has this process given up most system calls (seccomp)? A compile helper has, once it is ready for work.
bool is_sandboxed(pid_t pid);
/// Has neither side ended the TCP connection of these ports of 127.0.0.1? `port` is the side that is asked about.
bool is_established(uint16_t port, uint16_t peer_port);
/// Is somebody tracing this thread or process?
bool is_traced(pid_t thread);

}  // namespace cweb::e2e
