// What modules find behind their handlers, as one: the cache, the scheduler, the database, each other's symbols, and
// signatures. The host_* files are how C gets at them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/error.h"
#include "runtime/cache.h"
#include "runtime/database.h"
#include "runtime/module_symbols.h"
#include "runtime/module_version.h"
#include "runtime/scheduler.h"
#include "runtime/token_signer.h"

namespace cweb::runtime {

class Runtime;

/// The one of the process while it lives: modules find it by primitives(). Made after the runtime and before the first
/// deploy; destroyed before the runtime, when no module's code runs any more.
class Primitives final : public VersionEndObserver {
 public:
  struct Options {
    size_t cache_bytes = size_t{64} << 20;
    std::string database_file;  ///< empty: in memory
    TokenSigner::Key token_key{};
  };
  static Expected<std::unique_ptr<Primitives>> create(Runtime& runtime, const Options& options);
  ~Primitives() override;
  Primitives(const Primitives&) = delete;
  Primitives& operator=(const Primitives&) = delete;

  void version_ends(ModuleVersion& version) override;

  const std::shared_ptr<Database> database;
  const std::unique_ptr<TokenSigner> signer;
  const ModuleSymbols symbols;
  Cache cache;
  Scheduler scheduler;

 private:
  Primitives(Runtime& runtime, size_t cache_bytes, std::shared_ptr<Database> modules_database,
             std::unique_ptr<TokenSigner> token_signer);
};

/// Null when there are none: in tests.
Primitives* primitives();

}  // namespace cweb::runtime
