// start_compile_helpers: a fixed number of helper processes, one request each at a time. Callers of any thread take an idle
// one or wait. A thread of the pool's own replaces helpers that ended: the kernel kills a helper when the thread that
// started it ends, and callers' threads come and go.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "jit/compiler.h"
#include "jit/helper_process.h"

namespace cweb::jit {
namespace {

using Outcome = std::expected<Compilation, CompileFailure>;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// A second helper gets the source when the first was killed; when that one is killed as well, it is no accident.
constexpr int most_attempts = 2;

/// Behind a start that failed. Starting in a loop would only make things worse.
constexpr auto pause_after_failure = 1s;

CompileFailure unavailable(std::string sentence) {
  CompileFailure failure;
  failure.kind = CompileFailure::Kind::unavailable;
  failure.rendered = fmt::format("error: {}\n", sentence);
  Diagnostic diagnostic;
  diagnostic.message = std::move(sentence);
  failure.diagnostics.push_back(std::move(diagnostic));
  return failure;
}

class HelperPool final : public Compiler {
 public:
  explicit HelperPool(const CompilerOptions& options) : options_(options) {}
  ~HelperPool() override;

  Expected<void> start();

  Outcome compile(std::string_view source) override;
  std::vector<pid_t> helper_pids() const override;

 private:
  using Helper = std::unique_ptr<HelperProcess>;

  Expected<void> wait_for_one();
  std::expected<Helper, CompileFailure> take();
  void give_back(Helper helper);
  void keep_full();

  const CompilerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable idle_changed_;
  std::condition_variable keeper_wakes_;
  std::vector<Helper> idle_;      ///< guarded by mutex_; warm, the last one used last
  std::vector<Helper> starting_;  ///< guarded by mutex_ until the keeper runs, its own from then on
  std::vector<pid_t> pids_;       ///< guarded by mutex_; of idle and busy ones
  std::vector<Helper> ended_;     ///< guarded by mutex_; not reaped yet
  size_t missing_ = 0;            ///< guarded by mutex_; helpers that have to be started
  std::string trouble_;           ///< guarded by mutex_; why the last start failed
  bool stopping_ = false;         ///< guarded by mutex_
  std::thread keeper_;
};

}  // namespace
}  // namespace cweb::jit
