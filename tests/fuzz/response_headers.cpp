// The headers that a handler gives its answer. Lines: "name: value" is inserted, "-name" is removed. Whatever they are,
// a client sees those that were accepted, and nothing else.
#include "base/ascii.h"
#include "base/error.h"
#include "fuzz/support/input.h"
#include "http/response_head.h"
#include "http/status.h"
#include "runtime/message_map.h"

namespace {

using namespace cweb;
using runtime::MessageMap;

/// The lines of a head; the last is empty.
std::vector<std::string_view> lines_of(std::string_view head) {
  std::vector<std::string_view> lines;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    CWEB_ASSERT(end != head.npos);
    lines.push_back(head.substr(0, end));
    CWEB_ASSERT(lines.back().find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    head.remove_prefix(end + 2);
  }
  return lines;
}

void check_head(const MessageMap& headers, int status) {
  std::string head;
  http::begin_head(head, {.status = status});
  const size_t own_lines = lines_of(head).size();
  headers.each([&](std::string_view name, std::string_view value) { http::add_header(head, name, value); });
  http::end_head(head);
  const std::vector<std::string_view> lines = lines_of(head);
  CWEB_ASSERT(lines.size() == own_lines + headers.size() + 1);
  CWEB_ASSERT(lines.back().empty() && lines.front().starts_with("HTTP/1.1 "));
  size_t line = own_lines;
  headers.each([&](std::string_view name, std::string_view value) {
    const std::string_view text = lines[line++];
    const size_t colon = text.find(':');
    CWEB_ASSERT(colon != 0 && text.substr(0, colon) == name && text.substr(colon + 2) == value);
    CWEB_ASSERT(name.find_first_of(" \t") == name.npos);
  });
}

/// Keys that are the same but for case do not stand twice, but for cookies.
void check_entries(MessageMap& headers) {
  const map* shown = headers.shown();
  CWEB_ASSERT(shown->size == headers.size());
  for (size_t i = 0; i < shown->size; ++i) {
    const char* key = shown->entries[i].key;
    CWEB_ASSERT(headers.get(key) != nullptr);
    if (same_ignoring_case(key, "set-cookie")) continue;
    CWEB_ASSERT(headers.get(key) == shown->entries[i].value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const int status = 200 + input.number<uint16_t>() % 800;
  MessageMap headers(MessageMap::Values::headers);
  while (!input.empty()) {
    const std::string_view line = input.line();
    const size_t colon = line.find(':');
    const std::string name(line.substr(0, colon));
    if (colon != line.npos) {
      std::string value(line.substr(colon + 1));
      // A newline cannot stand in a line.
      std::replace(value.begin(), value.end(), '\f', '\n');
      const size_t before = headers.size();
      const int result = headers.insert(name.c_str(), value.data());
      CWEB_ASSERT(headers.size() == before || (result == MAP_OK && headers.size() == before + 1));
    } else if (line.starts_with('-')) {
      headers.remove(name.c_str() + 1);
      CWEB_ASSERT(same_ignoring_case(name.c_str() + 1, "set-cookie") || !headers.get(name.c_str() + 1));
    }
  }
  check_entries(headers);
  check_head(headers, status);
  return 0;
}
