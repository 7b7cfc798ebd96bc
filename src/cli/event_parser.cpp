#include "cli/event_parser.h"

#include <utility>

namespace cweb::cli {

bool EventParser::feed(std::string_view bytes, const Take& take) {
  for (const char c : bytes) {
    if (broken_) return false;
    const bool ends_line = c == '\r' || (c == '\n' && !after_cr_);
    const bool is_second_half = c == '\n' && after_cr_;
    after_cr_ = c == '\r';
    if (ends_line) {
      broken_ = !take_line(take);
    } else if (!is_second_half) {
      line_ += c;
      broken_ = line_.size() + event_.data.size() > longest_event;
    }
  }
  return !broken_;
}

bool EventParser::take_line(const Take& take) {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    if (has_data_) {
      if (event_.type.empty()) event_.type = "message";
      take(event_);
    }
    event_.type.clear();
    event_.data.clear();
    has_data_ = false;
    return true;
  }
  const size_t colon = line.find(':');
  if (colon == 0) return true;  // a comment
  const std::string_view text = line;
  std::string_view value = colon == std::string::npos ? std::string_view() : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  take_field(text.substr(0, colon), value);
  return event_.data.size() <= longest_event;
}

void EventParser::take_field(std::string_view name, std::string_view value) {
  if (name == "event") event_.type = value;
  if (name == "id" && value.find('\0') == std::string_view::npos) event_.id = value;
  if (name == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

}  // namespace cweb::cli
