// What the server and a compile helper say to each other: frames on a stream socket, and the JSON inside them.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "jit/compiler.h"

namespace cweb::jit {

enum class FrameKind : uint32_t {
  options = 1,  ///< to the helper, once: JSON of CompilerOptions
  ready,        ///< from the helper, once: it is warm
  failed,       ///< from the helper, once: why it cannot work
  compile,      ///< to the helper: source text
  compiled,     ///< answer: JSON of the outcome, and the object
  limit,        ///< last words instead of an answer: what was reached, a word of LimitReached
};

/// What ended a helper in the middle of a compile, as it says itself.
enum class LimitReached { memory, stack, cpu, crash, fatal };

struct Frame {
  FrameKind kind{};
  std::string text;
  std::string blob;
};

/// In front of each frame. Both ends are the same binary on the same machine.
struct FrameHeader {
  uint32_t kind = 0;
  uint32_t text_bytes = 0;
  uint32_t blob_bytes = 0;
};

/// Sends one frame, in one system call when the socket takes it. False when the peer is gone.
bool send_frame(int fd, FrameKind kind, std::string_view text, std::string_view blob = {});

enum class ReceiveError {
  closed,   ///< the peer is gone, perhaps in the middle of a frame
  timeout,  ///< the deadline has passed
  invalid,  ///< what came is no frame
};

/// `deadline_ns` is a time of monotonic_ns(); 0 waits for ever.
std::expected<Frame, ReceiveError> receive_frame(int fd, int64_t deadline_ns);

std::string encode_options(const CompilerOptions& options);
Expected<CompilerOptions> decode_options(const std::string& text);

/// The outcome of a compile without the object, which travels as the frame's blob.
struct HelperAnswer {
  std::expected<Compilation, CompileFailure> outcome;
  bool last = false;  ///< the helper ends behind this answer
};

std::string encode_answer(const HelperAnswer& answer);
/// Takes the object from the frame.
Expected<HelperAnswer> decode_answer(Frame frame);

/// The text of a limit frame is the word, and for fatal a blank and the compiler's reason.
std::string_view word_of(LimitReached limit);
LimitReached limit_of(std::string_view text);

}  // namespace cweb::jit
