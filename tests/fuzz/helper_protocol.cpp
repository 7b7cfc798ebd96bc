// What a compile helper says, were it broken or hostile, and what the server says to it. The first byte says what the
// rest is: 'f' bytes on the socket, 'a' the JSON of an answer, 'o' the JSON of options, 'l' a limit's words.
#include "jit/helper_protocol.h"

#include <sys/socket.h>

#include <array>

#include "base/error.h"
#include "base/unique_fd.h"
#include "fuzz/support/input.h"

namespace {

using namespace cweb;
using namespace cweb::jit;

/// A frame that stands whole at the beginning of `bytes`; nothing otherwise. Takes it off.
bool take_frame(std::string_view& bytes, Frame& frame) {
  fuzz::Input input(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  const auto kind = input.number<uint32_t>(), text = input.number<uint32_t>(), blob = input.number<uint32_t>();
  const size_t whole = sizeof(FrameHeader) + size_t{text} + blob;
  if (bytes.size() < whole || kind < 1 || kind > 6) return false;
  frame = {static_cast<FrameKind>(kind), std::string(input.take(text)), std::string(input.take(blob))};
  bytes.remove_prefix(whole);
  return true;
}

bool is_known(CallShape shape) {
  return shape <= CallShape::context_first;
}

/// The rest of the server switches over these.
void check_facts(const ModuleFacts& facts) {
  for (const RouteFact& fact : facts.routes) CWEB_ASSERT(is_known(fact.handler));
  for (const WebSocketFact& fact : facts.websockets) {
    CWEB_ASSERT(is_known(fact.on_open) && is_known(fact.on_message) && is_known(fact.on_close));
  }
  CWEB_ASSERT(is_known(facts.onload) && is_known(facts.unload));
}

void check_diagnostics(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    CWEB_ASSERT(diagnostic.severity >= Diagnostic::Severity::note &&
                diagnostic.severity <= Diagnostic::Severity::error);
  }
}

void check_answer(Frame frame) {
  const std::string blob = frame.blob;
  const Expected<HelperAnswer> answer = decode_answer(std::move(frame));
  if (!answer) {
    CWEB_ASSERT(!answer.error().message.empty());
    return;
  }
  if (answer->outcome) {
    CWEB_ASSERT(answer->outcome->object == blob);
    check_facts(answer->outcome->facts);
    check_diagnostics(answer->outcome->diagnostics);
  } else {
    check_diagnostics(answer->outcome.error().diagnostics);
  }
  const std::string text = encode_answer(*answer);
  const Expected<HelperAnswer> again = decode_answer({FrameKind::compiled, text, blob});
  CWEB_ASSERT(again.has_value() && encode_answer(*again) == text);
}

void check_options(const std::string& text) {
  const Expected<CompilerOptions> options = decode_options(text);
  if (!options) return;
  const Expected<CompilerOptions> again = decode_options(encode_options(*options));
  CWEB_ASSERT(again.has_value() && encode_options(*again) == encode_options(*options));
}

void check_stream(std::string_view bytes) {
  std::array<int, 2> ends{};
  CWEB_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  UniqueFd near(ends[0]);
  const UniqueFd far(ends[1]);
  // Less than a socket's buffer takes: nobody has to read meanwhile.
  CWEB_ASSERT(::send(near.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  near.reset();
  for (;;) {
    Frame expected;
    const bool is_whole = take_frame(bytes, expected);
    auto frame = receive_frame(far.get(), 0);
    CWEB_ASSERT(frame.has_value() == is_whole);
    if (!frame) return;
    CWEB_ASSERT(frame->kind == expected.kind && frame->text == expected.text && frame->blob == expected.blob);
    if (frame->kind == FrameKind::compiled) check_answer(std::move(*frame));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const std::string_view kind = input.take(1);
  const std::string rest(input.rest());
  if (kind == "f" && rest.size() <= 64 * 1024) check_stream(rest);
  if (kind == "a") check_answer({FrameKind::compiled, rest, "object"});
  if (kind == "o") check_options(rest);
  if (kind == "l") CWEB_ASSERT(limit_of(rest) == LimitReached::crash || rest.starts_with(word_of(limit_of(rest))));
  return 0;
}
