// RFC 6455, 5.5.2 and 5.5.3: a ping is answered with its own payload, a pong that nobody asked for is nothing.
#include <initializer_list>

#include "protocol_case.h"

namespace cweb::e2e {
namespace {

std::vector<ProtocolCase> pings() {
  std::vector<ProtocolCase> cases;
  for (const size_t bytes : std::initializer_list<size_t>{0, 1, 2, 3, 4, 8, 63, 64, 65, 124, 125}) {
    cases.push_back({"of " + std::to_string(bytes) + " bytes", ping(letters(bytes)), {pong_back(letters(bytes))}});
  }
  const std::vector<ProtocolCase> more = {
      {"with all byte values",
       ping(all_bytes(125)) + ping(all_bytes(256).substr(131)),
       {pong_back(all_bytes(125)), pong_back(all_bytes(256).substr(131))}},
      {"that is no UTF-8", ping("\xff\xfe\x80"), {pong_back("\xff\xfe\x80")}},
      {"with a NUL", ping(std::string("a\0b", 3)), {pong_back(std::string("a\0b", 3))}},
      {"ten in a row, each answered",
       ping("1") + ping("2") + ping("3") + ping("4") + ping("5") + ping("6") + ping("7") + ping("8") + ping("9") +
           ping("10"),
       {pong_back("1"), pong_back("2"), pong_back("3"), pong_back("4"), pong_back("5"), pong_back("6"), pong_back("7"),
        pong_back("8"), pong_back("9"), pong_back("10")}},
      {"a thousand in one burst", repeated(ping("burst"), 1000), std::vector<Answer>(1000, pong_back("burst"))},
      {"a thousand of 125 bytes in one burst", repeated(ping(letters(125)), 1000),
       std::vector<Answer>(1000, pong_back(letters(125)))},
      {"between messages, answered in its place",
       text("a") + ping("p") + text("b"),
       {text_back("a"), pong_back("p"), text_back("b")}},
      {"between fragments, answered before the message",
       first_text("a") + ping("p") + last("b"),
       {pong_back("p"), text_back("ab")}},
      {"between fragments, three of them",
       first_text("a") + ping("1") + next("b") + ping("2") + ping("3") + last("c"),
       {pong_back("1"), pong_back("2"), pong_back("3"), text_back("abc")}},
      {"between the bytes of one character",
       first_text("\xe2") + ping("1") + next("\x82") + ping("2") + last("\xac"),
       {pong_back("1"), pong_back("2"), text_back("\xe2\x82\xac")}},
      {"between large fragments",
       first_text(letters(70000)) + ping("p") + last(letters(70000)),
       {pong_back("p"), text_back(letters(70000) + letters(70000))}},
      {"of 126 bytes", ping(letters(126)), {closed(1002)}},
      {"that announces 126 bytes", ping(letters(126)).substr(0, 2), {closed(1002)}},
      {"that announces 64 KiB", client_frame_head({opcode::ping}, 65536), {closed(1002)}},
      {"in fragments", frame(opcode::ping, "p", /*fin=*/false) + last("q"), {closed(1002)}},
      {"in fragments, told by its first byte", frame(opcode::ping, "", /*fin=*/false).substr(0, 1), {closed(1002)}},
      {"of 126 bytes between fragments", first_text("a") + ping(letters(126)) + last("b"), {closed(1002)}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<ProtocolCase> pongs() {
  return {
      {"that nobody asked for", pong(), {}},
      {"that nobody asked for, with a payload", pong("unasked"), {}},
      {"of 125 bytes", pong(letters(125)), {}},
      {"that is no UTF-8", pong("\xff\x80"), {}},
      {"a thousand in one burst", repeated(pong("burst"), 1000), {}},
      {"before a ping", pong("unasked") + ping("p"), {pong_back("p")}},
      {"between messages", text("a") + pong("unasked") + text("b"), {text_back("a"), text_back("b")}},
      {"between fragments", first_text("a") + pong("unasked") + last("b"), {text_back("ab")}},
      {"between the bytes of one character", first_text("\xc3") + pong("\xff") + last("\xa4"), {text_back("\xc3\xa4")}},
      {"of 126 bytes", pong(letters(126)), {closed(1002)}},
      {"that announces 126 bytes", pong(letters(126)).substr(0, 2), {closed(1002)}},
      {"in fragments", frame(opcode::pong, "p", /*fin=*/false) + last("q"), {closed(1002)}},
      {"in fragments between those of a message",
       first_text("a") + frame(opcode::pong, "", /*fin=*/false),
       {closed(1002)}},
  };
}

}  // namespace

std::vector<CaseGroup> control_frame_groups() {
  return {{.name = "pings", .cases = pings}, {.name = "pongs", .cases = pongs}};
}

}  // namespace cweb::e2e
