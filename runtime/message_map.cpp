#include "runtime/message_map.h"

#include <strings.h>

#include <algorithm>

namespace cweb::runtime {
namespace {

constexpr size_t max_entries = 1000;

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
  });
}

/// RFC 9110 section 5.5. A NUL cannot be in it: it ends the text.
bool is_field_value(std::string_view text) {
  return text.find_first_of("\r\n") == text.npos;
}

}  // namespace

bool same_header_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

void MessageMap::clear() {
  entries_.clear();
  texts_.clear();
  rejected_ = false;
}

map* MessageMap::shown() {
  shown_ = {.entries = entries_.data(), .size = entries_.size(), .capacity = entries_.capacity(), .host = this};
  return &shown_;
}

std::vector<map_entry>::iterator MessageMap::find(const char* key) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const map_entry& entry) { return strcasecmp(entry.key, key) == 0; });
}

int MessageMap::insert(const char* key, void* value) {
  const bool copies = values_ == Values::headers;
  if (copies && (!is_token(key) || !is_field_value(static_cast<const char*>(value)))) {
    rejected_ = true;
    return -MAP_ERR;
  }
  // Several cookies are several headers; of everything else the first stays.
  const bool repeatable = copies && same_header_name(key, "set-cookie");
  if (!repeatable && find(key) != entries_.end()) return MAP_OK;
  if (entries_.size() >= max_entries) return -MAP_FULL;
  char* kept_key = texts_.emplace_back(key).data();
  if (copies) value = texts_.emplace_back(static_cast<const char*>(value)).data();
  entries_.push_back({kept_key, value});
  shown();
  return MAP_OK;
}

void* MessageMap::get(const char* key) const {
  const auto found = const_cast<MessageMap*>(this)->find(key);
  return found == entries_.end() ? nullptr : found->value;
}

int MessageMap::remove(const char* key) {
  const auto found = find(key);
  if (found == entries_.end()) return -MAP_KEY_NOT_FOUND;
  entries_.erase(found);
  shown();
  return MAP_OK;
}

}  // namespace cweb::runtime
