// compile_in_process: the compiler on one thread of this process, with the stack that Clang's recursion needs. Callers
// queue. What the kernel enforces for a helper process (memory, processor time, a crash that stays away) has no
// counterpart here: that is what this mode gives up.
#include <pthread.h>

#include <fmt/format.h>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

#include "jit/compiler.h"
#include "jit/source_compiler.h"

namespace cweb::jit {
namespace {

using Outcome = std::expected<Compilation, CompileFailure>;

class InProcessCompiler final : public Compiler {
 public:
  explicit InProcessCompiler(std::unique_ptr<SourceCompiler> compiler) : compiler_(std::move(compiler)) {}
  ~InProcessCompiler() override;

  Expected<void> start(bool wait_until_warm);

  Outcome compile(std::string_view source) override;
  std::vector<pid_t> helper_pids() const override { return {}; }

 private:
  struct Request {
    std::string_view source;  ///< the caller waits, so its text stays
    std::promise<Outcome> outcome;
  };

  static void* enter(void* self);
  void serve();
  /// The next request, or null when the compiler is being destroyed.
  Request* next();

  const std::unique_ptr<SourceCompiler> compiler_;  ///< used by the thread alone once it runs
  pthread_t thread_{};
  bool started_ = false;
  std::promise<void> warm_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request*> queue_;  ///< guarded by mutex_; each is owned by the caller that waits for it
  bool stopping_ = false;       ///< guarded by mutex_
};

InProcessCompiler::~InProcessCompiler() {
  if (!started_) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  pthread_join(thread_, nullptr);
}

Expected<void> InProcessCompiler::start(bool wait_until_warm) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  // Address space only: pages that no compile reaches are never touched.
  pthread_attr_setstacksize(&attributes, compile_stack_bytes);
  const int error = pthread_create(&thread_, &attributes, enter, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    return fail(fmt::format("cannot start the compiler's thread with a stack of {} MiB: error {}",
                            compile_stack_bytes >> 20, error));
  }
  started_ = true;
  if (wait_until_warm) warm_.get_future().wait();
  return {};
}

Outcome InProcessCompiler::compile(std::string_view source) {
  Request request{source, {}};
  std::future<Outcome> outcome = request.outcome.get_future();
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(&request);
  }
  wake_.notify_one();
  return outcome.get();
}

void* InProcessCompiler::enter(void* self) {
  static_cast<InProcessCompiler*>(self)->serve();
  return nullptr;
}

void InProcessCompiler::serve() {
  pthread_setname_np(pthread_self(), "compiler");
  compiler_->warm_up();
  warm_.set_value();
  while (Request* request = next()) {
    // The request is gone as soon as its outcome is set.
    request->outcome.set_value(compiler_->compile(request->source));
    compiler_->prepare_next();
  }
}

InProcessCompiler::Request* InProcessCompiler::next() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (queue_.empty()) return nullptr;
  Request* request = queue_.front();
  queue_.pop_front();
  return request;
}

}  // namespace

Expected<std::unique_ptr<Compiler>> compile_in_process(const CompilerOptions& options) {
  auto source_compiler = SourceCompiler::create(options);
  if (!source_compiler) return std::unexpected(source_compiler.error());
  auto compiler = std::make_unique<InProcessCompiler>(std::move(*source_compiler));
  if (auto started = compiler->start(options.wait_until_warm); !started) return std::unexpected(started.error());
  return compiler;
}

}  // namespace cweb::jit
