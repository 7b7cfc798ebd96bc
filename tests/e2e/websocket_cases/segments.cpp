// TCP knows no frames: one may come in many segments, and many in one. That every case of the suite comes to the same
// in both ways is the runner's; here are the cuts that a reader may stumble over.
#include "protocol_case.h"

namespace cweb::e2e {
namespace {

std::string cut_behind(size_t bytes) {
  return ", cut behind byte " + std::to_string(bytes);
}

/// Every cut of a frame whose head has this many bytes, and of the first bytes behind it.
void add_cuts(std::vector<ProtocolCase>& cases, size_t payload_bytes, size_t head_bytes) {
  const std::string message = letters(payload_bytes);
  const std::string name = "a frame of " + std::to_string(payload_bytes) + " bytes";
  for (size_t at = 1; at <= head_bytes + 2; ++at) {
    cases.push_back({name + cut_behind(at), text(message), {text_back(message)}, {at}});
  }
  const size_t end = head_bytes + payload_bytes;
  cases.push_back({name + ", cut before its last byte", text(message), {text_back(message)}, {end - 1}});
  cases.push_back({name + ", cut with one byte of the next",
                   text(message) + text("next"),
                   {text_back(message), text_back("next")},
                   {end + 1}});
}

std::vector<ProtocolCase> cuts() {
  std::vector<ProtocolCase> cases;
  add_cuts(cases, 5, 6);
  add_cuts(cases, 300, 8);
  add_cuts(cases, 70000, 14);
  const std::string both = first_text("Hel") + ping("p") + last("lo") + closing(1000);
  for (size_t at = 1; at < both.size(); ++at) {
    cases.push_back({"fragments, a ping and a close" + cut_behind(at),
                     both,
                     {pong_back("p"), text_back("Hello"), closed_back(1000)},
                     {at}});
  }
  cases.push_back({"a large frame in many segments",
                   text(letters(300000)),
                   {text_back(letters(300000))},
                   {1, 2, 3, 13, 14, 15, 65535, 65536, 65537, 131071, 131072, 131073, 299999}});
  return cases;
}

std::vector<ProtocolCase> coalesced() {
  std::vector<ProtocolCase> cases;
  // Large enough together to come to the end of any buffer of a power of two, in every place of a small frame.
  for (size_t bytes = 65536 - 24; bytes <= 65536; ++bytes) {
    cases.push_back({"a small frame behind one of " + std::to_string(bytes) + " bytes",
                     text(letters(bytes)) + text("x") + ping("p"),
                     {text_back(letters(bytes)), text_back("x"), pong_back("p")}});
  }
  std::string sent;
  std::vector<Answer> answers;
  for (size_t bytes = 0; bytes < 400; ++bytes) {
    sent += bytes % 2 == 0 ? text(letters(bytes)) : binary(all_bytes(bytes));
    answers.push_back(bytes % 2 == 0 ? text_back(letters(bytes)) : binary_back(all_bytes(bytes)));
  }
  cases.push_back({"400 messages of all lengths in one segment", sent, answers});
  const std::vector<ProtocolCase> more = {
      {"1000 messages in one segment", repeated(text("Hello"), 1000), std::vector<Answer>(1000, text_back("Hello"))},
      {"10000 empty messages in one segment", repeated(text(""), 10000), std::vector<Answer>(10000, text_back(""))},
      {"100 fragmented messages in one segment", repeated(first_text("Hel") + last("lo"), 100),
       std::vector<Answer>(100, text_back("Hello"))},
      {"all kinds of frames in one segment",
       text("a") + pong() + first_binary("b") + ping("p") + last("c") + text("d") + closing(1000),
       {text_back("a"), pong_back("p"), binary_back("bc"), text_back("d"), closed_back(1000)}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace

std::vector<CaseGroup> segment_groups() {
  return {{.name = "cuts", .cases = cuts}, {.name = "coalesced", .cases = coalesced}};
}

}  // namespace cweb::e2e
