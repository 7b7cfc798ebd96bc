// RFC 6455, 5.5.1 and 7.4: a close is answered with its own code, and nothing behind it counts.
#include <initializer_list>

#include "protocol_case.h"

namespace cweb::e2e {
namespace {

std::vector<ProtocolCase> codes() {
  std::vector<ProtocolCase> cases;
  for (const uint16_t code : std::initializer_list<uint16_t>{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012,
                                                             1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999}) {
    cases.push_back({std::to_string(code), closing(code), {closed_back(code)}});
    cases.push_back({std::to_string(code) + " with a reason", closing(code, "because"), {closed_back(code)}});
  }
  for (const uint16_t code : std::initializer_list<uint16_t>{0, 1, 125, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100,
                                                             1999, 2000, 2999, 5000, 5001, 10000, 32768, 65535}) {
    cases.push_back({std::to_string(code) + " is none", closing(code), {closed(1002)}});
  }
  return cases;
}

std::vector<ProtocolCase> bodies() {
  const std::string euros = repeated("\xe2\x82\xac", 41);  // 123 bytes
  const std::string reason = letters(123);
  return {
      {"no code", frame(opcode::close, ""), {closed_without_code()}},
      {"one byte", frame(opcode::close, "\x03"), {closed(1002)}},
      {"a reason of 1 byte", closing(1000, "r"), {closed_back(1000)}},
      {"a reason of 122 bytes", closing(1000, letters(122)), {closed_back(1000)}},
      {"a reason of 123 bytes, the most", closing(1000, reason), {closed_back(1000)}},
      {"a reason of 123 bytes that are 41 characters", closing(1000, euros), {closed_back(1000)}},
      {"a reason of 124 bytes", closing(1000, letters(124)), {closed(1002)}},
      {"a reason that announces 64 KiB", client_frame_head({opcode::close}, 65536), {closed(1002)}},
      {"a reason with a NUL", closing(1000, std::string("a\0b", 3)), {closed_back(1000)}},
      {"a reason with the last character there is", closing(1000, "\xf4\x8f\xbf\xbf"), {closed_back(1000)}},
      {"a reason that is no UTF-8", closing(1000, "\xff"), {closed(1007)}},
      {"a reason that is no UTF-8 in its middle", closing(1000, "a\xc0\x80z"), {closed(1007)}},
      {"a reason with a surrogate", closing(1000, "\xed\xa0\x80"), {closed(1007)}},
      {"a reason that ends within a character", closing(1000, "a\xe2\x82"), {closed(1007)}},
      {"in fragments", frame(opcode::close, close_payload(1000), /*fin=*/false) + last("r"), {closed(1002)}},
      {"in fragments, without a body", frame(opcode::close, "", /*fin=*/false), {closed(1002)}},
  };
}

std::vector<ProtocolCase> order() {
  return {
      {"a message before it is answered", text("a") + closing(1000), {text_back("a"), closed_back(1000)}},
      {"a ping before it is answered", ping("p") + closing(1000), {pong_back("p"), closed_back(1000)}},
      {"a large message before it is answered",
       text(letters(200000)) + closing(4000),
       {text_back(letters(200000)), closed_back(4000)}},
      {"a message behind it is nothing", closing(1000) + text("a"), {closed_back(1000)}},
      {"a large message behind it is nothing", closing(1000) + text(letters(200000)), {closed_back(1000)}},
      {"a ping behind it is nothing", closing(1000) + ping("p"), {closed_back(1000)}},
      {"a second close is nothing", closing(1000) + closing(1001), {closed_back(1000)}},
      {"a close without a code, and one with it", frame(opcode::close, "") + closing(1000), {closed_without_code()}},
      {"a fault behind it is nothing", closing(1000) + frame(3, "bad"), {closed_back(1000)}},
      {"bad UTF-8 behind it is nothing", closing(1000) + text("\xff"), {closed_back(1000)}},
      {"a frame without a mask behind it is nothing",
       closing(1000) + client_frame({opcode::text}, "plain", /*mask=*/""),
       {closed_back(1000)}},
      {"no frame at all behind it is nothing", closing(1000) + std::string(1000, '\xff'), {closed_back(1000)}},
      {"half a frame behind it is nothing", closing(1000) + begun_text(1000, "half"), {closed_back(1000)}},
      {"a good close behind a fault changes nothing", frame(3, "") + closing(1000), {closed(1002)}},
      {"the first of two faults counts", text("\xff") + frame(3, ""), {closed(1007)}},
      {"a million bytes behind a fault change nothing", frame(3, "") + binary(letters(1000000)), {closed(1002)}},
      {"the end of the stream behind it", closing(1000), {closed_back(1000)}, {}, /*client_ends=*/true},
  };
}

/// The client goes without a close frame.
std::vector<ProtocolCase> ends_of_the_stream() {
  constexpr bool client_ends = true;
  return {
      {"at once", "", {}, {}, client_ends},
      {"behind a message, which is answered", text("a"), {text_back("a")}, {}, client_ends},
      {"behind a large message, which is answered",
       text(letters(200000)),
       {text_back(letters(200000))},
       {},
       client_ends},
      {"behind a ping, which is answered", ping("p"), {pong_back("p")}, {}, client_ends},
      {"within a head", text(letters(1000)).substr(0, 3), {}, {}, client_ends},
      {"behind one byte", text("a").substr(0, 1), {}, {}, client_ends},
      {"behind a head", begun_text(1000), {}, {}, client_ends},
      {"within a payload", begun_text(1000, letters(999)), {}, {}, client_ends},
      {"within a large payload", begun_text(200000, letters(199999)), {}, {}, client_ends},
      {"within a message", first_text("a") + next("b"), {}, {}, client_ends},
      {"behind a message, with one byte of the next",
       text("a") + text("b").substr(0, 1),
       {text_back("a")},
       {},
       client_ends},
      {"within a ping", ping("ping").substr(0, 8), {}, {}, client_ends},
      {"behind a message, within the next", text("a") + begun_text(10, "b"), {text_back("a")}, {}, client_ends},
      {"within a close", closing(1000, "reason").substr(0, 10), {}, {}, client_ends},
      {"within a character", begun_text(10, "\xe2\x82"), {}, {}, client_ends},
  };
}

}  // namespace

std::vector<CaseGroup> close_groups() {
  return {{.name = "close_codes", .cases = codes},
          {.name = "close_bodies", .cases = bodies},
          {.name = "close_order", .cases = order},
          {.name = "end_of_stream", .cases = ends_of_the_stream}};
}

}  // namespace cweb::e2e
