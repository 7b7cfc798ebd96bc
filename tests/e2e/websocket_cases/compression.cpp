// RFC 7692: permessage-deflate without context takeover.
#include <initializer_list>

#include "message_deflate.h"
#include "protocol_case.h"

namespace cweb::e2e {
namespace {

constexpr size_t most = size_t{1} << 20;

std::string packed(std::string_view message, uint8_t opcode = opcode::text) {
  return frame(opcode, deflated(message), /*fin=*/true, rsv1);
}

/// A frame with RSV1 whose payload stands in the case.
std::string with_rsv1(std::string_view payload) {
  return frame(opcode::text, payload, /*fin=*/true, rsv1);
}

/// A compressed message in fragments of `fragment_bytes`: the first alone has RSV1 (RFC 7692, 6.1).
std::string packed_in_fragments_of(size_t fragment_bytes, std::string_view message) {
  const std::string payload = deflated(message);
  std::string frames;
  for (size_t at = 0; at < payload.size(); at += fragment_bytes) {
    const bool is_last = payload.size() - at <= fragment_bytes;
    frames += frame(at == 0 ? opcode::text : opcode::continuation, payload.substr(at, fragment_bytes), is_last,
                    at == 0 ? rsv1 : 0);
  }
  return frames;
}

/// A payload that is longer than its message: blocks without compression, each with five bytes before it.
std::string stored(std::string_view message) {
  std::string payload;
  for (size_t at = 0; at < message.size(); at += 65535) {
    const std::string_view block = message.substr(at, 65535);
    const auto low = static_cast<char>(block.size() & 0xff), high = static_cast<char>(block.size() >> 8);
    payload += {'\0', low, high, static_cast<char>(~low), static_cast<char>(~high)};
    payload += block;
  }
  return payload += '\0';
}

/// Text that deflate cannot make much shorter: a sequence of its own in each place, the same in every run.
std::string noise(size_t bytes) {
  std::string text(bytes, '\0');
  uint32_t state = 1;
  for (char& letter : text) {
    state = state * 1664525 + 1013904223;
    letter = static_cast<char>(' ' + (state >> 24) % 95);
  }
  return text;
}

std::vector<ProtocolCase> messages() {
  std::vector<ProtocolCase> cases;
  for (const size_t bytes :
       std::initializer_list<size_t>{0, 1, 2, 5, 20, 125, 126, 127, 1000, 16384, 65535, 65536, 200000}) {
    const std::string size = std::to_string(bytes) + " bytes";
    cases.push_back({size + " that repeat", packed(letters(bytes)), {message_back(letters(bytes))}});
    cases.push_back({size + " of noise", packed(noise(bytes)), {message_back(noise(bytes))}});
  }
  for (const size_t bytes : std::initializer_list<size_t>{1, 2, 7, 100, 1000}) {
    cases.push_back({"10000 bytes of noise in fragments of " + std::to_string(bytes),
                     packed_in_fragments_of(bytes, noise(10000)),
                     {message_back(noise(10000))}});
  }
  const std::string hello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);  // RFC 7692, 7.2.3.1
  const std::vector<ProtocolCase> more = {
      {"Hello, as the RFC has it", with_rsv1(hello), {message_back("Hello")}},
      {"Hello in two fragments, as the RFC has it",
       frame(opcode::text, hello.substr(0, 3), /*fin=*/false, rsv1) + last(hello.substr(3)),
       {message_back("Hello")}},
      {"Hello in a block without compression",
       with_rsv1(std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)),
       {message_back("Hello")}},
      {"Hello in a block that says it is the last",
       with_rsv1(std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)),
       {message_back("Hello")}},
      {"Hello in two blocks",
       with_rsv1(std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)),
       {message_back("Hello")}},
      {"an empty message, as the RFC has it", with_rsv1(std::string(1, '\0')), {message_back("")}},
      {"the first fragment is empty",
       frame(opcode::text, "", /*fin=*/false, rsv1) + last(hello),
       {message_back("Hello")}},
      {"the last fragment is empty",
       frame(opcode::text, hello, /*fin=*/false, rsv1) + last(""),
       {message_back("Hello")}},
      {"a ping between fragments",
       frame(opcode::text, hello.substr(0, 2), /*fin=*/false, rsv1) + ping("p") + next(hello.substr(2, 2)) + pong() +
           last(hello.substr(4)),
       {pong_back("p"), message_back("Hello")}},
      {"text that is not compressed", text("plain"), {message_back("plain")}},
      {"text that is not compressed, in fragments", first_text("pla") + last("in"), {message_back("plain")}},
      {"with and without by turns",
       packed("a") + text("b") + packed("c") + text("d"),
       {message_back("a"), message_back("b"), message_back("c"), message_back("d")}},
      {"a hundred in one segment", repeated(packed("Hello, Hello, Hello"), 100),
       std::vector<Answer>(100, message_back("Hello, Hello, Hello"))},
      {"UTF-8", packed("\xe2\x82\xac\xf0\x9f\x98\x80"), {message_back("\xe2\x82\xac\xf0\x9f\x98\x80")}},
      {"a close behind it", packed("a") + closing(1000), {message_back("a"), closed_back(1000)}},
      {"a message that has begun is not answered", frame(opcode::text, hello, /*fin=*/false, rsv1), {}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<ProtocolCase> faults() {
  const std::string hello = deflated("Hello");
  const std::string leaning = deflated_behind(noise(1000), noise(1000));
  const uint8_t others[] = {rsv2, rsv3, rsv2 | rsv3, rsv1 | rsv2, rsv1 | rsv3, rsv1 | rsv2 | rsv3};
  std::vector<ProtocolCase> cases;
  for (const uint8_t bits : others) {
    cases.push_back({"reserved bits " + std::to_string(bits), frame(opcode::text, hello, true, bits), {closed(1002)}});
  }
  const std::vector<ProtocolCase> more = {
      {"RSV1 of a ping", frame(opcode::ping, "p", true, rsv1), {closed(1002)}},
      {"RSV1 of a pong", frame(opcode::pong, "", true, rsv1), {closed(1002)}},
      {"RSV1 of a close", frame(opcode::close, close_payload(1000), true, rsv1), {closed(1002)}},
      {"RSV1 of the second fragment",
       frame(opcode::text, hello.substr(0, 2), false, rsv1) + frame(opcode::continuation, hello.substr(2), true, rsv1),
       {closed(1002)}},
      {"RSV1 of the second fragment alone",
       first_text("a") + frame(opcode::continuation, hello, true, rsv1),
       {closed(1002)}},
      {"a block of a kind that there is not", with_rsv1("\xff\xff\xff\xff"), {closed(1007)}},
      {"text that is not deflated", with_rsv1("plain text"), {closed(1007)}},
      {"a block without compression whose lengths differ",
       with_rsv1(std::string("\x00\x05\x00\x00\x00Hello\x00", 11)),
       {closed(1007)}},
      {"a distance before the message's beginning", with_rsv1(leaning), {closed(1007)}},
      {"a message that leans on the one before",
       packed(noise(1000)) + with_rsv1(leaning),
       {message_back(noise(1000)), closed(1007)}},
      {"no UTF-8", packed("\xff"), {closed(1007)}},
      {"no UTF-8 behind much that is", packed(letters(100000) + "\xc0\x80"), {closed(1007)}},
      {"it ends within a character", packed("a\xe2\x82"), {closed(1007)}},
      {"a fault behind a good message", packed("a") + with_rsv1("\xff\xff\xff\xff"), {message_back("a"), closed(1007)}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<ProtocolCase> bombs() {
  const std::string full(most, 'x');
  return {
      {"as much as may be, of next to nothing", packed(full), {message_back(full)}},
      {"one byte more", packed(full + "x"), {closed(1009)}},
      {"one byte more, binary", packed(full + "x", opcode::binary), {closed(1009)}},
      {"64 times as much", packed(std::string(64 * most, '\0')), {closed(1009)}},
      {"64 times as much, in fragments", packed_in_fragments_of(1000, std::string(64 * most, '\0')), {closed(1009)}},
      {"one byte more, not compressed", begun_text(most + 1), {closed(1009)}},
      {"as much as may be, which deflate only makes longer", with_rsv1(stored(full)), {message_back(full)}},
      {"twice as much before it is inflated",
       client_frame_head({.opcode = opcode::text, .rsv = rsv1}, 2 * most),
       {closed(1009)}},
      {"a good one behind another good one", packed(full) + packed("a"), {message_back(full), message_back("a")}},
  };
}

}  // namespace

std::vector<CaseGroup> compression_groups() {
  const std::string offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  return {{.name = "compressed", .cases = messages, .handshake_lines = offer, .server_options = {}},
          {.name = "compressed_faults", .cases = faults, .handshake_lines = offer, .server_options = {}},
          {.name = "compressed_bombs",
           .cases = bombs,
           .handshake_lines = offer,
           .server_options = {"--ws-max-message", std::to_string(most)}}};
}

}  // namespace cweb::e2e
