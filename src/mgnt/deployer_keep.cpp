// The deployer's dealings with the directory that modules are kept in: a version is on the disk before it is published,
// and not there when it is not.
#include <chrono>
#include <utility>

#include "jit/facts_json.h"
#include "mgnt/deployer.h"
#include "runtime/invoke.h"

namespace cweb::mgnt {
namespace {

bool refuse(DeployReport& report, const KeepFailure& failure) {
  report.http_status = failure.http_status;
  report.stage = "keep";
  report.message = failure.message;
  return false;
}

}  // namespace

bool Deployer::prepare_to_keep(const runtime::ModuleVersion& version, const std::string& file, Keeping& keeping,
                               DeployReport& report) const {
  if (options_.keeper == nullptr) return true;
  auto intent = options_.keeper->prepare(version.config.name, version.hash, version.source, file);
  if (!intent) return refuse(report, intent.error());
  keeping.emplace(std::move(*intent));
  return true;
}

bool Deployer::keep(const VersionPtr& version, const Keeping& keeping, DeployReport& report) {
  if (!keeping) return true;
  const auto kept = options_.keeper->commit(*keeping, version->source);
  if (kept) return true;
  // What onload took or started is given back as if the version had been live.
  if (version->config.unload != nullptr) {
    const runtime::LoadFunction unload(version->config.unload, version->config.unload_shape);
    runtime::call_and_wait(runtime_.spare_threads(), runtime_.deadlines(), version, unload, options_.load_deadline);
  }
  return refuse(report, kept.error());
}

/// Only what is served is in the cache.
void Deployer::note_in_cache(const runtime::ModuleVersion& version, const jit::Compilation& compilation,
                             const std::string& replaced_hash) const {
  const store::ObjectCache* const cache = options_.keeper == nullptr ? nullptr : options_.keeper->cache();
  if (cache == nullptr) return;
  cache->keep(version.hash, {.facts = jit::encode_facts(compilation.facts), .object = compilation.object});
  if (!replaced_hash.empty() && replaced_hash != version.hash) cache->forget(replaced_hash);
}

}  // namespace cweb::mgnt
