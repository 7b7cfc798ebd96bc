// Threads that a module has started and not ended by the time that its version is gone.
#pragma once

#include <memory>

namespace cweb::runtime {

class ModuleVersion;

/// Tells of the threads that still run when the version's unload is long over: how many, and of some where they are.
/// They go on, and so does what they use. Waits for them to say it, some milliseconds; not for a thread that others
/// wait for.
void report_threads_left(const std::shared_ptr<ModuleVersion>& version);

}  // namespace cweb::runtime
