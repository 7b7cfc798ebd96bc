// --ws-max-message: a message beyond it is a 1009 as soon as it is announced, whatever it is made of.
#include "protocol_case.h"

namespace cweb::e2e {
namespace {

constexpr size_t most = 65536;

std::string head_of(uint8_t opcode, uint64_t bytes, bool fin = true) {
  return client_frame_head({.opcode = opcode, .fin = fin}, bytes);
}

std::vector<ProtocolCase> message_limit() {
  const std::string full = letters(most);
  return {
      {"one byte less", text(letters(most - 1)), {text_back(letters(most - 1))}},
      {"as much as may be", text(full), {text_back(full)}},
      {"as much binary as may be", binary(all_bytes(most)), {binary_back(all_bytes(most))}},
      {"as much as may be, ten times", repeated(text(full), 10), std::vector<Answer>(10, text_back(full))},
      {"one byte more", text(letters(most + 1)), {closed(1009)}},
      {"one byte more in binary", binary(all_bytes(most + 1)), {closed(1009)}},
      {"one byte more, announced", head_of(opcode::text, most + 1), {closed(1009)}},
      {"a mebibyte announced", head_of(opcode::text, 1 << 20), {closed(1009)}},
      {"4 GiB announced", head_of(opcode::binary, uint64_t{1} << 32), {closed(1009)}},
      {"4 GiB and one byte announced, which 32 bits take for one",
       head_of(opcode::binary, (uint64_t{1} << 32) + 1),
       {closed(1009)}},
      {"the greatest length announced", head_of(opcode::binary, ~uint64_t{0} >> 1), {closed(1009)}},
      {"one byte more behind a good message",
       text("a") + head_of(opcode::text, most + 1),
       {text_back("a"), closed(1009)}},
      {"as much as may be, in two fragments",
       first_text(letters(most / 2)) + last(letters(most / 2)),
       {text_back(letters(most / 2) + letters(most / 2))}},
      {"as much as may be, and an empty fragment", first_text(full) + next("") + last(""), {text_back(full)}},
      {"as much as may be, in a thousand fragments and more",
       first_text("") + repeated(next(letters(64)), most / 64) + last(""),
       {text_back(repeated(letters(64), most / 64))}},
      {"one byte more, in two fragments", first_text(letters(most / 2)) + last(letters(most / 2 + 1)), {closed(1009)}},
      {"one byte more, told by the second fragment's head",
       first_text(letters(most / 2)) + head_of(opcode::continuation, most / 2 + 1),
       {closed(1009)}},
      {"one byte more, in a last fragment of its own", first_text(full) + last("x"), {closed(1009)}},
      {"one byte more, in a message that has not ended", first_text(full) + next("x"), {closed(1009)}},
      {"a second fragment whose length makes the sum overflow",
       first_binary("ab") + head_of(opcode::continuation, ~uint64_t{0} >> 1),
       {closed(1009)}},
      {"many fragments that are too much together",
       first_text("") + repeated(next(letters(64)), most / 64 + 1),
       {closed(1009)}},
      {"pings between fragments do not count",
       first_text(letters(most - 1)) + ping(letters(125)) + last("x"),
       {pong_back(letters(125)), text_back(letters(most - 1) + "x")}},
      {"two messages that are too much together are two messages",
       text(full) + text(full),
       {text_back(full), text_back(full)}},
      {"a fragmented message behind another",
       first_text(full) + last("") + first_text(full) + last(""),
       {text_back(full), text_back(full)}},
      {"too much behind a close is nothing", closing(1000) + head_of(opcode::text, most + 1), {closed_back(1000)}},
      {"bad UTF-8 before it is too much", first_text("\xff") + head_of(opcode::continuation, most), {closed(1007)}},
      {"too much and out of order is out of order", head_of(opcode::continuation, most + 1), {closed(1002)}},
  };
}

std::vector<ProtocolCase> small_limit() {
  return {
      {"as much as may be", text("0123456789"), {text_back("0123456789")}},
      {"one byte more", text("0123456789x"), {closed(1009)}},
      {"one byte more in fragments", first_text("01234") + last("56789x"), {closed(1009)}},
      {"a ping may be longer than a message", ping(letters(125)), {pong_back(letters(125))}},
      {"a close may be longer than a message", closing(1000, letters(100)), {closed_back(1000)}},
  };
}

}  // namespace

std::vector<CaseGroup> limit_groups() {
  return {{.name = "message_limit",
           .cases = message_limit,
           .handshake_lines = {},
           .server_options = {"--ws-max-message", std::to_string(most)}},
          {.name = "message_limit_of_ten_bytes",
           .cases = small_limit,
           .handshake_lines = {},
           .server_options = {"--ws-max-message", "10"}}};
}

}  // namespace cweb::e2e
