// Jobs of the context-first generation: they compile, and do not run.
#include <cweb.h>

#include "base/log.h"
#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

int jobs_create(const char*, const char*, cweb_uuid_t* out) {
  if (out != nullptr) *out = {};
  cweb::runtime::ModuleVersion* const version = cweb::runtime::current_version();
  if (version == nullptr || version->asked_for_jobs.exchange(true)) return -1;
  const cweb::runtime::HostSection section;
  cweb::log::warn("module {} calls jobs_create: this server does not run jobs, so it returns -1", version->config.name);
  return -1;
}

namespace cweb::runtime {

std::span<const HostSymbol> job_functions() {
  static const HostSymbol functions[] = {host_function("jobs_create", jobs_create)};
  return functions;
}

}  // namespace cweb::runtime
