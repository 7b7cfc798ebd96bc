// RFC 6455, 5.2: reserved bits that no extension was agreed on for, and opcodes that mean nothing yet.
#include <initializer_list>
#include <utility>

#include "protocol_case.h"

namespace cweb::e2e {
namespace {

std::vector<ProtocolCase> reserved_bits() {
  const std::pair<uint8_t, const char*> opcodes[] = {
      {opcode::text, "text"}, {opcode::binary, "binary"}, {opcode::ping, "ping"}, {opcode::pong, "pong"}};
  std::vector<ProtocolCase> cases;
  for (uint8_t bits = 1; bits <= 7; ++bits) {
    const std::string which = "bits " + std::to_string(bits) + " of a ";
    for (const auto& [opcode, name] : opcodes) {
      cases.push_back({which + name, frame(opcode, "Hello", /*fin=*/true, bits), {closed(1002)}});
    }
    cases.push_back({which + "close", frame(opcode::close, close_payload(1000), /*fin=*/true, bits), {closed(1002)}});
    cases.push_back({which + "first fragment", frame(opcode::text, "Hel", /*fin=*/false, bits), {closed(1002)}});
    cases.push_back(
        {which + "last fragment", first_text("Hel") + frame(opcode::continuation, "lo", true, bits), {closed(1002)}});
  }
  const std::vector<ProtocolCase> more = {
      {"bit 1 behind a good message",
       text("a") + frame(opcode::text, "b", true, rsv1) + text("c"),
       {text_back("a"), closed(1002)}},
      {"bit 2 of a ping between fragments", first_text("a") + frame(opcode::ping, "p", true, rsv2), {closed(1002)}},
      {"bit 3 is told by the first byte", frame(opcode::text, "", true, rsv3).substr(0, 1), {closed(1002)}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<ProtocolCase> reserved_opcodes() {
  std::vector<ProtocolCase> cases;
  for (const uint8_t opcode : std::initializer_list<uint8_t>{3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    const std::string which = std::to_string(opcode);
    cases.push_back({which + ", empty", frame(opcode, ""), {closed(1002)}});
    cases.push_back({which + " with a payload", frame(opcode, letters(100)), {closed(1002)}});
    cases.push_back({which + " in fragments", frame(opcode, "a", /*fin=*/false) + last("b"), {closed(1002)}});
    cases.push_back(
        {which + " behind a message", text("a") + frame(opcode, "b") + ping(), {text_back("a"), closed(1002)}});
    cases.push_back({which + " between fragments", first_text("a") + frame(opcode, "b") + last("c"), {closed(1002)}});
    cases.push_back({which + " is told by the first byte", frame(opcode, letters(70000)).substr(0, 1), {closed(1002)}});
  }
  return cases;
}

}  // namespace

std::vector<CaseGroup> reserved_groups() {
  return {{.name = "reserved_bits", .cases = reserved_bits}, {.name = "reserved_opcodes", .cases = reserved_opcodes}};
}

}  // namespace cweb::e2e
