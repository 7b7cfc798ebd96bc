#include "http/utf8_check.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace cweb::http {
namespace {

/// Where in a character the text is. The values are shifts: a byte's row of the table has, from bit `state` on, the
/// state behind it, so that a byte costs a load that depends on nothing and a shift.
enum State : uint8_t {
  between = 0,  // two characters
  one_more = 6,
  two_more = 12,
  three_more = 18,
  after_e0 = 24,  // what follows is not below a0: the shortest form
  after_ed = 30,  // not above 9f: no surrogates
  after_f0 = 36,  // not below 90: the shortest form
  after_f4 = 42,  // not above 8f: U+10FFFF is the last
  never = 48,     // UTF-8
};
constexpr unsigned state_mask = 63;

consteval State after_first(unsigned byte) {
  if (byte < 0x80) return between;
  if (byte < 0xc2 || byte > 0xf4) return never;
  if (byte < 0xe0) return one_more;
  if (byte == 0xe0) return after_e0;
  if (byte == 0xed) return after_ed;
  if (byte < 0xf0) return two_more;
  if (byte == 0xf0) return after_f0;
  if (byte == 0xf4) return after_f4;
  return three_more;
}

consteval State after(State state, unsigned byte) {
  const auto if_within = [byte](unsigned lowest, unsigned highest, State then) {
    return byte >= lowest && byte <= highest ? then : never;
  };
  switch (state) {
    case between:
      return after_first(byte);
    case one_more:
      return if_within(0x80, 0xbf, between);
    case two_more:
      return if_within(0x80, 0xbf, one_more);
    case three_more:
      return if_within(0x80, 0xbf, two_more);
    case after_e0:
      return if_within(0xa0, 0xbf, one_more);
    case after_ed:
      return if_within(0x80, 0x9f, one_more);
    case after_f0:
      return if_within(0x90, 0xbf, two_more);
    case after_f4:
      return if_within(0x80, 0x8f, two_more);
    case never:
      return never;
  }
  return never;
}

consteval std::array<uint64_t, 256> make_table() {
  std::array<uint64_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) {
    for (const State state : {between, one_more, two_more, three_more, after_e0, after_ed, after_f0, after_f4, never}) {
      table[byte] |= uint64_t{after(state, byte)} << state;
    }
  }
  return table;
}

constexpr std::array<uint64_t, 256> table = make_table();

/// The bits above the mask are of no meaning.
uint64_t step(uint64_t state, char byte) {
  return table[static_cast<unsigned char>(byte)] >> (state & state_mask);
}

using Block = uint64_t __attribute__((vector_size(16)));
constexpr ptrdiff_t block_bytes = sizeof(Block);

Block load(const char* at) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  return block;
}

bool is_ascii(Block block) {
  return ((block[0] | block[1]) & 0x8080808080808080U) == 0;
}

/// The first block that is not ASCII, or less than a block before the end.
const char* skip_ascii(const char* at, const char* end) {
  constexpr ptrdiff_t at_a_time = 4 * block_bytes;
  while (end - at >= at_a_time &&
         is_ascii(load(at) | load(at + block_bytes) | load(at + 2 * block_bytes) | load(at + 3 * block_bytes))) {
    at += at_a_time;
  }
  while (end - at >= block_bytes && is_ascii(load(at))) at += block_bytes;
  return at;
}

}  // namespace

bool Utf8Check::take(std::string_view piece) {
  uint64_t state = state_;
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (end - at >= block_bytes) {
    if ((state & state_mask) == between) {
      at = skip_ascii(at, end);
      if (end - at < block_bytes) break;
    }
    for (const char* const block_end = at + block_bytes; at != block_end; ++at) state = step(state, *at);
    if ((state & state_mask) == never) break;
  }
  if ((state & state_mask) != never) {
    for (; at != end; ++at) state = step(state, *at);
  }
  state_ = static_cast<uint8_t>(state & state_mask);
  return state_ != never;
}

}  // namespace cweb::http
