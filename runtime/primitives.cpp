#include "runtime/primitives.h"

#include <atomic>
#include <utility>

#include "runtime/host_objects.h"
#include "runtime/runtime.h"

namespace cweb::runtime {
namespace {

std::atomic<Primitives*> the_primitives{nullptr};

}  // namespace

Primitives* primitives() {
  return the_primitives.load(std::memory_order_acquire);
}

Expected<std::unique_ptr<Primitives>> Primitives::create(Runtime& runtime, const Options& options) {
  auto database = Database::open(options.database_file);
  if (!database) return std::unexpected(database.error());
  auto signer = TokenSigner::create(options.token_key);
  if (!signer) return std::unexpected(signer.error());
  return std::unique_ptr<Primitives>(
      new Primitives(runtime, options.cache_bytes, std::move(*database), std::move(*signer)));
}

Primitives::Primitives(Runtime& runtime, size_t cache_bytes, std::shared_ptr<Database> modules_database,
                       std::unique_ptr<TokenSigner> token_signer)
    : database(std::move(modules_database)),
      signer(std::move(token_signer)),
      symbols(runtime.registry()),
      cache(cache_bytes),
      scheduler(runtime.spare_threads(), runtime.deadlines(), runtime.retirer()) {
  show_database(database->handle());
  set_version_end_observer(this);
  the_primitives.store(this, std::memory_order_release);
}

Primitives::~Primitives() {
  the_primitives.store(nullptr, std::memory_order_release);
  set_version_end_observer(nullptr);
  show_database(nullptr);
}

void Primitives::version_ends(ModuleVersion& version) {
  scheduler.forget(version);
  cache.forget(version);
  database->forget(version);
}

}  // namespace cweb::runtime
