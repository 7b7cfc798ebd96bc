#include "event_reader.h"

#include <gtest/gtest.h>

#include <charconv>
#include <string_view>
#include <utility>

namespace cweb::e2e {

EventReader::EventReader(RawClient client, const std::string& query, const std::string& header_lines)
    : client_(std::move(client)) {
  client_.send(get_request("/mgnt/events" + query, header_lines));
  std::string head;
  EXPECT_TRUE(client_.read_until("\r\n\r\n", head));
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
  EXPECT_NE(head.find("\r\nContent-Type: text/event-stream"), std::string::npos) << head;
}

bool EventReader::read_chunk() {
  std::string line, chunk, end;
  size_t length = 0;
  if (!client_.read_until("\r\n", line)) return false;
  std::from_chars(line.data(), line.data() + line.size(), length, 16);
  if (!client_.read_exactly(length, chunk) || !client_.read_until("\r\n", end)) return false;
  ended_in_order_ = length == 0;
  text_ += chunk;
  return length > 0;
}

bool EventReader::next_text(std::string& text) {
  size_t end = 0;
  while ((end = text_.find("\n\n")) == std::string::npos) {
    if (!read_chunk()) return false;
  }
  text = text_.substr(0, end + 1);
  text_.erase(0, end + 2);
  return true;
}

std::optional<ServerEvent> EventReader::next() {
  std::string text;
  do {
    if (!next_text(text)) return std::nullopt;
  } while (text.starts_with(':'));
  ServerEvent event;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    if (line.starts_with("id: ")) event.id = line.substr(4);
    if (line.starts_with("event: ")) event.type = line.substr(7);
    if (line.starts_with("data: ")) event.data = nlohmann::json::parse(line.substr(6));
  }
  return event;
}

std::optional<ServerEvent> EventReader::next(const std::string& type) {
  for (auto event = next(); event; event = next()) {
    if (event->type == type) return event;
  }
  ADD_FAILURE() << "the stream ended without an event " << type;
  return std::nullopt;
}

}  // namespace cweb::e2e
