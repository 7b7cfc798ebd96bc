// RFC 6455, 5.4: a message in fragments is the message, and its frames come in their order.
#include <initializer_list>

#include "protocol_case.h"

namespace cweb::e2e {
namespace {

/// A text message in fragments of `fragment_bytes`.
std::string in_fragments_of(size_t fragment_bytes, std::string_view message) {
  std::string frames;
  for (size_t at = 0; at < message.size(); at += fragment_bytes) {
    const bool is_last = message.size() - at <= fragment_bytes;
    frames += frame(at == 0 ? opcode::text : opcode::continuation, message.substr(at, fragment_bytes), is_last);
  }
  return frames;
}

std::vector<ProtocolCase> whole() {
  std::vector<ProtocolCase> cases;
  for (const size_t bytes : std::initializer_list<size_t>{1, 2, 3, 5, 125, 126, 127, 1000, 4999}) {
    cases.push_back({"5000 bytes in fragments of " + std::to_string(bytes),
                     in_fragments_of(bytes, letters(5000)),
                     {text_back(letters(5000))}});
  }
  for (const size_t bytes : std::initializer_list<size_t>{1000, 65535, 65536, 65537, 100000}) {
    cases.push_back({"300000 bytes in fragments of " + std::to_string(bytes),
                     in_fragments_of(bytes, letters(300000)),
                     {text_back(letters(300000))}});
  }
  const std::vector<ProtocolCase> more = {
      {"text in two", first_text("Hel") + last("lo"), {text_back("Hello")}},
      {"text in three", first_text("H") + next("el") + last("lo"), {text_back("Hello")}},
      {"binary in two", first_binary("\xff") + last("\xfe"), {binary_back("\xff\xfe")}},
      {"the first is empty", first_text("") + last("Hello"), {text_back("Hello")}},
      {"the last is empty", first_text("Hello") + last(""), {text_back("Hello")}},
      {"one in the middle is empty", first_text("Hel") + next("") + last("lo"), {text_back("Hello")}},
      {"all are empty", first_text("") + next("") + last(""), {text_back("")}},
      {"a thousand empty ones", first_text("") + repeated(next(""), 1000) + last("x"), {text_back("x")}},
      {"empty binary ones", first_binary("") + last(""), {binary_back("")}},
      {"two messages one after the other",
       first_text("a") + last("b") + first_text("c") + last("d"),
       {text_back("ab"), text_back("cd")}},
      {"text, then binary, both in two",
       first_text("a") + last("b") + first_binary("c") + last("d"),
       {text_back("ab"), binary_back("cd")}},
      {"a whole message before and behind",
       text("a") + first_text("b") + last("c") + text("d"),
       {text_back("a"), text_back("bc"), text_back("d")}},
      {"a small one between two large ones",
       first_text(letters(70000)) + next("x") + last(letters(70000)),
       {text_back(letters(70000) + "x" + letters(70000))}},
      {"a ping behind each",
       first_text("a") + ping("1") + next("b") + ping("2") + next("c") + ping("3") + last("d"),
       {pong_back("1"), pong_back("2"), pong_back("3"), text_back("abcd")}},
      {"a message that has begun is not answered", first_text("a") + next("b"), {}},
      {"a close between them", first_text("a") + closing(1000), {closed_back(1000)}},
      {"a close between them, and the last behind it",
       first_text("a") + closing(1001) + last("b"),
       {closed_back(1001)}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<ProtocolCase> out_of_order() {
  return {
      {"a last fragment of nothing", last("a"), {closed(1002)}},
      {"an empty last fragment of nothing", last(""), {closed(1002)}},
      {"a middle fragment of nothing", next("a"), {closed(1002)}},
      {"a fragment of nothing behind a whole message", text("a") + last("b"), {text_back("a"), closed(1002)}},
      {"a fragment of nothing behind a fragmented message",
       first_text("a") + last("b") + last("c"),
       {text_back("ab"), closed(1002)}},
      {"a fragment of nothing behind a ping", ping("p") + last("a"), {pong_back("p"), closed(1002)}},
      {"text within a text", first_text("a") + text("b"), {closed(1002)}},
      {"binary within a text", first_text("a") + binary("b"), {closed(1002)}},
      {"text within a binary", first_binary("a") + text("b"), {closed(1002)}},
      {"a first fragment within a text", first_text("a") + first_text("b"), {closed(1002)}},
      {"a first binary fragment within a text", first_text("a") + first_binary("b"), {closed(1002)}},
      {"text within a text behind a ping", first_text("a") + ping("p") + text("b"), {pong_back("p"), closed(1002)}},
      {"text within a text behind its second fragment", first_text("a") + next("b") + text("c"), {closed(1002)}},
      {"text within a text whose fragments are empty", first_text("") + text(""), {closed(1002)}},
      {"a fragment of nothing is told by its head", client_frame_head({opcode::continuation}, 70000), {closed(1002)}},
      {"text within a text is told by its head", first_text("a") + begun_text(70000), {closed(1002)}},
  };
}

}  // namespace

std::vector<CaseGroup> fragmentation_groups() {
  return {{.name = "fragments", .cases = whole}, {.name = "fragments_out_of_order", .cases = out_of_order}};
}

}  // namespace cweb::e2e
