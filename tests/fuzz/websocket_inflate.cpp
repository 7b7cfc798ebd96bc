// Compressed messages: never more than the limit comes out, nothing of one is left for the next, and what was deflated
// inflates to the same. Of the first byte bits 0 to 2 choose the window, bits 3 to 7 the limit.
#include <algorithm>
#include <string>

#include "base/error.h"
#include "fuzz/support/input.h"
#include "http/websocket_deflate.h"

namespace {

using namespace cweb;
using http::MessageDeflater;
using http::MessageInflater;

struct Outcome {
  std::string message;
  unsigned fault = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome inflate(MessageInflater& inflater, std::string_view payload, size_t limit) {
  Outcome outcome;
  std::string message = "of another message";
  if (auto done = inflater.inflate(payload, limit, message); !done) {
    outcome.fault = done.error().code;
    CWEB_ASSERT(outcome.fault == 1007 || outcome.fault == 1009);
    CWEB_ASSERT(done.error().sentence != nullptr && *done.error().sentence != '\0');
  }
  CWEB_ASSERT(message.size() <= limit);
  if (outcome.fault == 0) outcome.message = std::move(message);
  return outcome;
}

/// What a stranger calls compressed.
void check_inflate(std::string_view payload, size_t limit) {
  MessageInflater inflater;
  const Outcome first = inflate(inflater, payload, limit);
  CWEB_ASSERT(inflate(inflater, payload, limit) == first);
  // A deflate stream, here with what a flush ends it with, grows by no more than 1032 times.
  const Outcome unlimited = inflate(inflater, payload, (payload.size() + 4) * 1032);
  CWEB_ASSERT(unlimited.fault != 1009);
  if (unlimited.fault != 0) {
    CWEB_ASSERT(first.fault != 0);
    return;
  }
  CWEB_ASSERT(first == (unlimited.message.size() <= limit ? unlimited : Outcome{{}, 1009}));
  const size_t exact = unlimited.message.size();
  CWEB_ASSERT(inflate(inflater, payload, exact) == unlimited);
  if (exact > 0) CWEB_ASSERT(inflate(inflater, payload, exact - 1).fault == 1009);
}

void check_round_trip(std::string_view message, int window_bits) {
  MessageDeflater deflater(window_bits);
  MessageInflater inflater;
  std::string payload, again;
  deflater.deflate(message, payload);
  CWEB_ASSERT(!payload.empty() && !payload.ends_with(std::string_view("\0\0\xff\xff", 4)));
  CWEB_ASSERT(inflate(inflater, payload, message.size()) == Outcome{std::string(message)});
  deflater.deflate(message, again);
  CWEB_ASSERT(again == payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const auto choice = input.number<uint8_t>();
  check_inflate(input.rest(), size_t{1} << (choice >> 3) % 16);
  const int window_bits = 9 + choice % 7;
  check_round_trip(input.rest(), window_bits);
  // Repeated, so that there is something to find far back.
  std::string longer(input.rest().substr(0, 500));
  for (int i = 0; i < 4; ++i) longer += longer + static_cast<char>(i);
  check_round_trip(longer, window_bits);
  return 0;
}
