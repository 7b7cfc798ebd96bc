// RFC 6455, 5.2 and 5.3: lengths in their three forms, and the mask.
#include <initializer_list>

#include "protocol_case.h"

namespace cweb::e2e {
namespace {

std::string masked_with(std::string_view mask, std::string_view payload) {
  return client_frame({opcode::text}, payload, mask);
}

std::string unmasked(uint8_t opcode, std::string_view payload, bool fin = true) {
  return client_frame({.opcode = opcode, .fin = fin}, payload, /*mask=*/"");
}

std::string text_with_length_in(LengthForm form, std::string_view payload) {
  const std::string usual = text(payload);
  return client_frame_head({opcode::text}, payload.size(), usual_mask, form) +
         usual.substr(usual.size() - payload.size());
}

std::vector<ProtocolCase> lengths() {
  std::vector<ProtocolCase> cases;
  for (const size_t bytes : std::initializer_list<size_t>{
           0,    1,    2,     3,     4,     5,     7,     8,     9,     15,    16,     17,     31,
           33,   63,   65,    124,   125,   126,   127,   128,   129,   255,   256,    257,    1000,
           1500, 4096, 16384, 32767, 32768, 65521, 65534, 65535, 65536, 65537, 131072, 1048576}) {
    cases.push_back({"text of " + std::to_string(bytes) + " bytes", text(letters(bytes)), {text_back(letters(bytes))}});
    cases.push_back(
        {"binary of " + std::to_string(bytes) + " bytes", binary(all_bytes(bytes)), {binary_back(all_bytes(bytes))}});
  }
  const std::string largest = letters(size_t{16} << 20);
  cases.push_back({"text of 16 MiB, the most by default", text(largest), {text_back(largest)}});
  return cases;
}

std::vector<ProtocolCase> masks() {
  const std::string greeting = "greetings, server";
  return {
      {"a mask of zeros", masked_with(std::string(4, '\0'), greeting), {text_back(greeting)}},
      {"a mask of ones", masked_with("\xff\xff\xff\xff", greeting), {text_back(greeting)}},
      {"a mask with one byte that is not zero",
       masked_with(std::string("\0\0\0\x01", 4), greeting),
       {text_back(greeting)}},
      {"a payload that is its mask", masked_with("mask", "maskmaskmask"), {text_back("maskmaskmask")}},
      {"each frame has a mask of its own",
       masked_with("abcd", greeting) + masked_with("\x80\x81\x82\x83", greeting) + masked_with("wxyz", greeting),
       {text_back(greeting), text_back(greeting), text_back(greeting)}},
      {"the fragments of a message have masks of their own",
       client_frame({.opcode = opcode::text, .fin = false}, "greet", "abcd") +
           client_frame({.opcode = opcode::continuation, .fin = false}, "ings, ", "efgh") +
           client_frame({opcode::continuation}, "server", "ijkl"),
       {text_back(greeting)}},
      {"a ping has a mask of its own",
       masked_with("abcd", "a") + client_frame({opcode::ping}, "p", "efgh"),
       {text_back("a"), pong_back("p")}},
      {"a frame that looks like a close under its mask", masked_with("\x88\x80\x88\x80", "text"), {text_back("text")}},
      {"text without a mask", unmasked(opcode::text, "plain"), {closed(1002)}},
      {"empty text without a mask", unmasked(opcode::text, ""), {closed(1002)}},
      {"binary without a mask", unmasked(opcode::binary, "plain"), {closed(1002)}},
      {"a ping without a mask", unmasked(opcode::ping, "plain"), {closed(1002)}},
      {"a pong without a mask", unmasked(opcode::pong, ""), {closed(1002)}},
      {"a close without a mask", unmasked(opcode::close, close_payload(1000)), {closed(1002)}},
      {"a fragment without a mask", unmasked(opcode::text, "pl", /*fin=*/false), {closed(1002)}},
      {"the second fragment without a mask", first_text("pl") + unmasked(opcode::continuation, "ain"), {closed(1002)}},
      {"a frame without a mask behind good ones",
       text("a") + text("b") + unmasked(opcode::text, "c"),
       {text_back("a"), text_back("b"), closed(1002)}},
      {"the missing mask is told by the second byte",
       unmasked(opcode::text, letters(70000)).substr(0, 2),
       {closed(1002)}},
  };
}

std::vector<ProtocolCase> length_forms() {
  constexpr auto two = LengthForm::in_two_bytes;
  constexpr auto eight = LengthForm::in_eight_bytes;
  const auto announced = [](uint64_t bytes) {
    return client_frame_head({opcode::text}, bytes, usual_mask, LengthForm::in_eight_bytes);
  };
  return {
      {"length 0 in two bytes", text_with_length_in(two, ""), {closed(1002)}},
      {"length 1 in two bytes", text_with_length_in(two, "a"), {closed(1002)}},
      {"length 125 in two bytes", text_with_length_in(two, letters(125)), {closed(1002)}},
      {"length 126 in two bytes is right", text_with_length_in(two, letters(126)), {text_back(letters(126))}},
      {"length 0 in eight bytes", text_with_length_in(eight, ""), {closed(1002)}},
      {"length 125 in eight bytes", text_with_length_in(eight, letters(125)), {closed(1002)}},
      {"length 126 in eight bytes", text_with_length_in(eight, letters(126)), {closed(1002)}},
      {"length 65535 in eight bytes", text_with_length_in(eight, letters(65535)), {closed(1002)}},
      {"length 65536 in eight bytes is right", text_with_length_in(eight, letters(65536)), {text_back(letters(65536))}},
      {"a ping with its length in two bytes",
       client_frame_head({opcode::ping}, 5, usual_mask, LengthForm::in_two_bytes),
       {closed(1002)}},
      {"a length with its highest bit", announced(uint64_t{1} << 63), {closed(1002)}},
      {"a length of nothing but ones", announced(~uint64_t{0}), {closed(1002)}},
      {"the greatest length there is", announced(~uint64_t{0} >> 1), {closed(1009)}},
  };
}

std::vector<ProtocolCase> contents() {
  const std::string with_nul("a\0b\0", 4);
  return {
      {"text with NULs in it", text(with_nul), {text_back(with_nul)}},
      {"text of one NUL", text(std::string(1, '\0')), {text_back(std::string(1, '\0'))}},
      {"text with line ends", text("a\r\n\r\nb\n"), {text_back("a\r\n\r\nb\n")}},
      {"text that is an HTTP request", text("GET / HTTP/1.1\r\n\r\n"), {text_back("GET / HTTP/1.1\r\n\r\n")}},
      {"an HTTP request instead of a frame", get_request("/mirror"), {closed(1002)}},
      {"an HTTP request behind a message", text("a") + get_request("/mirror"), {text_back("a"), closed(1002)}},
      {"a TLS hello instead of a frame",
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
       {closed(1002)}},
      {"text and binary by turns",
       text("a") + binary("b") + text("c") + binary(""),
       {text_back("a"), binary_back("b"), text_back("c"), binary_back("")}},
      {"a hundred empty messages", repeated(text(""), 100), std::vector<Answer>(100, text_back(""))},
      {"binary that is no UTF-8", binary("\xff\xfe\xc0\x80"), {binary_back("\xff\xfe\xc0\x80")}},
      {"a small message behind a large one",
       text(letters(100000)) + text("b"),
       {text_back(letters(100000)), text_back("b")}},
      {"a large message behind a small one",
       text("a") + text(letters(100000)),
       {text_back("a"), text_back(letters(100000))}},
  };
}

}  // namespace

std::vector<CaseGroup> framing_groups() {
  return {{.name = "lengths", .cases = lengths},
          {.name = "masks", .cases = masks},
          {.name = "length_forms", .cases = length_forms},
          {.name = "contents", .cases = contents}};
}

}  // namespace cweb::e2e
