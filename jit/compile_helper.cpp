// The helper process: one thread that compiles, until the socket closes. The process's first thread only waits for it.
#include <pthread.h>
#include <unistd.h>

#include <cstdio>

#include "jit/compiler.h"
#include "jit/helper_protocol.h"
#include "jit/helper_sandbox.h"
#include "jit/source_compiler.h"

namespace cweb::jit {
namespace {

constexpr int exit_done = 0;
constexpr int exit_cannot_work = 1;

// The allocator keeps what a compile used. Beyond this the helper is better replaced.
constexpr size_t most_kept_bytes = size_t{384} << 20;

// Larger than any frame of Clang's, so that an overflow ends in the guard and not in what lies below.
constexpr size_t stack_guard_bytes = size_t{1} << 20;

class Helper {
 public:
  explicit Helper(int fd) : fd_(fd) {}

  /// Returns the process's exit code.
  int run() {
    if (const Expected<void> ready = prepare(); !ready) {
      send_frame(fd_, FrameKind::failed, ready.error().message);
      return exit_cannot_work;
    }
    if (!send_frame(fd_, FrameKind::ready, {})) return exit_done;
    const size_t idle_bytes = peak_memory_bytes();
    for (;;) {
      const auto request = receive_frame(fd_, 0);
      if (!request || request->kind != FrameKind::compile) return exit_done;
      HelperAnswer answer{compile(request->text), false};
      answer.last = peak_memory_bytes() > idle_bytes + most_kept_bytes;
      const std::string_view object = answer.outcome ? answer.outcome->object : std::string_view();
      if (!send_frame(fd_, FrameKind::compiled, encode_answer(answer), object) || answer.last) return exit_done;
      compiler_->prepare_next();
    }
  }

 private:
  Expected<void> prepare() {
    const auto first = receive_frame(fd_, 0);
    if (!first || first->kind != FrameKind::options) return fail("the compile helper was not told what to do");
    const Expected<CompilerOptions> options = decode_options(first->text);
    if (!options) return std::unexpected(options.error());
    limits_ = options->limits;
    auto compiler = SourceCompiler::create(*options);
    if (!compiler) return std::unexpected(compiler.error());
    compiler_ = std::move(*compiler);
    compiler_->warm_up();
    return enter_sandbox(fd_, limits_);
  }

  std::expected<Compilation, CompileFailure> compile(std::string_view source) {
    const CompileBounds bounds(limits_);
    return compiler_->compile(source);
  }

  const int fd_;
  CompileLimits limits_;
  std::unique_ptr<SourceCompiler> compiler_;
};

void* run_helper(void* fd) {
  // At once, without the destructors of what the compiler keeps: the kernel takes it all back.
  ::_exit(Helper(*static_cast<int*>(fd)).run());
}

}  // namespace

int compile_helper_main(int fd) {
  isolate_helper(fd);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, compile_stack_bytes);
  pthread_attr_setguardsize(&attributes, stack_guard_bytes);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attributes, run_helper, &fd);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    send_frame(fd, FrameKind::failed, "the compile helper cannot have a stack of 256 MiB; is its memory limited?");
    return exit_cannot_work;
  }
  pthread_join(thread, nullptr);
  return exit_done;
}

}  // namespace cweb::jit
