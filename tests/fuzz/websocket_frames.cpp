// WebSocket frames of a client: whatever the network does to them they mean the same, and what RFC 6455 says. Of the
// first byte bit 0 agrees on compression, bit 1 makes the limit small; the rest is what the client sends.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fuzz/support/input.h"
#include "http/websocket_reader.h"

namespace {

using namespace cweb;
using http::WebSocketReader;
using Step = WebSocketReader::Step;

struct Event {
  Step step = Step::need_more;
  std::string bytes;
  bool is_binary = false;
  unsigned code = 0;
  bool operator==(const Event&) const = default;
};
using Events = std::vector<Event>;

struct Settings {
  bool compression;
  size_t limit;
};

Event failed(unsigned code) {
  return {Step::failed, "", false, code};
}

// UTF-8 by code points, where the server's goes by bytes.

/// Takes the first character off. False when there is none, whole and in its shortest form.
bool take_character(std::string_view& text) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const size_t length = byte(0) < 0x80 ? 1 : byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : byte(0) >= 0xc0 ? 2 : 0;
  if (length == 0 || byte(0) >= 0xf8 || text.size() < length) return false;
  uint32_t point = length == 1 ? byte(0) : byte(0) & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return false;
    point = point << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  text.remove_prefix(length);
  return true;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (!take_character(text)) return false;
  }
  return true;
}

/// Is there a text that begins so?
bool begins_utf8(const std::string& text) {
  if (is_utf8(text)) return true;
  for (const char next : {'\x80', '\xbf'}) {
    std::string longer = text;
    for (const char c : {next, '\x80', '\x80'}) {
      if (is_utf8(longer += c)) return true;
    }
  }
  return false;
}

/// RFC 6455, 5, a frame after the other, of bytes that are all there.
class SecondReader {
 public:
  SecondReader(std::string_view sent, Settings settings) : rest_(sent), settings_(settings) {
    while (next_frame()) {
    }
  }
  Events events;
  bool head_is_cut = false;  ///< by the end of the bytes; what is there may be wrong already

 private:
  unsigned byte(size_t index) const { return static_cast<unsigned char>(rest_[index]); }

  bool finish(Event event) {
    events.push_back(std::move(event));
    return false;
  }

  bool cut_head() {
    head_is_cut = true;
    return false;
  }

  bool next_frame() {
    if (rest_.size() < 2) return cut_head();
    const size_t length_bytes = (byte(1) & 127) == 127 ? 8 : (byte(1) & 127) == 126 ? 2 : 0;
    const size_t head_bytes = 2 + length_bytes + 4;
    if (rest_.size() < head_bytes) return cut_head();
    uint64_t length = length_bytes > 0 ? 0 : byte(1) & 127;
    for (size_t i = 0; i < length_bytes; ++i) length = length << 8 | byte(2 + i);
    if (is_wrong(length_bytes, length)) return finish(failed(1002));

    const unsigned first = byte(0);
    if (begins(first)) {
      opcode_ = first & 15;
      compressed_ = (first & 0x40) != 0;
      message_.clear();
    }
    const bool control = (first & 15) >= 8;
    const uint64_t most = settings_.limit + (compressed_ ? settings_.limit / 8 + 64 : 0);
    if (!control && length > most - message_.size()) return finish(failed(1009));
    std::string payload(rest_.substr(head_bytes, std::min<uint64_t>(length, rest_.size())));
    for (size_t i = 0; i < payload.size(); ++i) {
      payload[i] = static_cast<char>(payload[i] ^ rest_[head_bytes - 4 + i % 4]);
    }
    rest_.remove_prefix(head_bytes + payload.size());
    const bool whole = payload.size() == length;
    return control ? whole && take_control(first & 15, payload) : take_data(first, payload, whole);
  }

  static bool begins(unsigned first) { return (first & 15) == 1 || (first & 15) == 2; }

  bool is_wrong(size_t length_bytes, uint64_t length) const {
    const unsigned first = byte(0), opcode = first & 15;
    const bool final = (first & 0x80) != 0, rsv1 = (first & 0x40) != 0;
    if ((first & 0x30) != 0 || (byte(1) & 0x80) == 0) return true;
    if (rsv1 && !(settings_.compression && begins(first))) return true;
    if (opcode != 0 && !begins(first) && !(opcode >= 8 && opcode <= 10)) return true;
    if (opcode >= 8 && (!final || length > 125 || length_bytes > 0)) return true;
    if ((opcode == 0) != in_message_ && opcode < 8) return true;
    return (length_bytes == 2 && length < 126) || (length_bytes == 8 && (length < 65'536 || length >> 63 != 0));
  }

  bool take_control(unsigned opcode, const std::string& payload) {
    if (opcode != 8) {
      events.push_back({opcode == 9 ? Step::ping : Step::pong, payload});
      return true;
    }
    if (payload.empty()) return finish({Step::close, "", false, 1005});
    if (payload.size() == 1) return finish(failed(1002));
    const unsigned code = static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
    const bool may_be_sent =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    if (!may_be_sent) return finish(failed(1002));
    if (!is_utf8(payload.substr(2))) return finish(failed(1007));
    return finish({Step::close, payload.substr(2), false, code});
  }

  bool take_data(unsigned first, const std::string& payload, bool whole) {
    in_message_ = true;
    message_ += payload;
    const bool text = opcode_ == 1;
    if (text && !compressed_ && !begins_utf8(message_)) return finish(failed(1007));
    if (!whole || (first & 0x80) == 0) return whole;
    in_message_ = false;
    if (compressed_) {
      http::MessageInflater inflater;
      std::string inflated;
      if (auto done = inflater.inflate(message_, settings_.limit, inflated); !done)
        return finish(failed(done.error().code));
      message_ = inflated;
    }
    if (text && !is_utf8(message_)) return finish(failed(1007));
    events.push_back({Step::message, message_, !text});
    message_.clear();
    return true;
  }

  std::string_view rest_;
  const Settings settings_;
  std::string message_;
  unsigned opcode_ = 0;
  bool compressed_ = false, in_message_ = false;
};

Event look_at(WebSocketReader& reader, Step step, const Settings& settings) {
  if (step == Step::failed) {
    CWEB_ASSERT(reader.fault().sentence != nullptr && std::strlen(reader.fault().sentence) <= 123);
    return failed(reader.fault().code);
  }
  if (step == Step::message) {
    const std::span<char> bytes = reader.message();
    CWEB_ASSERT(bytes.size() <= settings.limit && bytes.data()[bytes.size()] == '\0');
    Event event{step, std::string(bytes.data(), bytes.size()), reader.is_binary()};
    std::fill(bytes.begin(), bytes.end(), '\xff');
    return event;
  }
  return {step, std::string(reader.payload()), false, step == Step::close ? reader.close_code() : 0U};
}

/// How the bytes come. 0: all at once. 1: single bytes. Else in pieces of any size, the same for the same seed, with
/// rests between some.
Events read_all(std::string_view sent, const Settings& settings, uint32_t seed) {
  http::WebSocketReaderPool pool;
  WebSocketReader reader(pool, settings.limit, settings.compression);
  Events events;
  for (bool first = true; !sent.empty(); first = false) {
    if (seed > 1) seed = seed * 1'664'525 + 1'013'904'223;
    std::string_view piece = sent.substr(0, seed == 0 ? SIZE_MAX : seed == 1 ? 1 : 1 + (seed >> 24) % 64);
    if (first && (seed & 0x10000) != 0) {
      reader.feed(piece);
    } else {
      const std::span<char> room = reader.room();
      CWEB_ASSERT(!room.empty());
      piece = piece.substr(0, room.size());
      std::memcpy(room.data(), piece.data(), piece.size());
      reader.committed(piece.size());
    }
    sent.remove_prefix(piece.size());
    for (Step step = reader.advance(); step != Step::need_more; step = reader.advance()) {
      CWEB_ASSERT(events.empty() || (events.back().step != Step::failed && events.back().step != Step::close));
      events.push_back(look_at(reader, step, settings));
    }
    if ((seed & 0x20000) != 0) reader.rest();
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const auto flags = input.number<uint8_t>();
  const Settings settings{.compression = (flags & 1) != 0, .limit = (flags & 2) != 0 ? 100U : 4096U};
  const Events whole = read_all(input.rest(), settings, 0);
  CWEB_ASSERT(read_all(input.rest(), settings, 1) == whole);
  uint32_t seed = 2;
  for (const char c : input.rest()) seed = seed * 31 + static_cast<unsigned char>(c);
  for (const uint32_t salt : {2U, 6U, 10U}) CWEB_ASSERT(read_all(input.rest(), settings, seed | salt) == whole);

  const SecondReader second(input.rest(), settings);
  if (second.events == whole) return 0;
  Events with_fault = second.events;
  with_fault.push_back(failed(1002));
  CWEB_ASSERT(second.head_is_cut && with_fault == whole);
  return 0;
}
