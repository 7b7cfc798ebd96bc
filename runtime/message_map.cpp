#include "runtime/message_map.h"

#include <algorithm>
#include <array>
#include <new>

#include "base/ascii.h"
#include "runtime/fault_guard.h"

namespace cweb::runtime {
namespace {

constexpr size_t max_entries = 1000;
/// Of the names and values that were copied. They are the process's memory, and a header section is far smaller.
constexpr size_t max_text_bytes = size_t{1} << 20;

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  static constexpr auto table = [] {
    std::array<bool, 256> allowed{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) allowed[static_cast<unsigned char>(c)] = true;
    for (unsigned char c = '0'; c <= '9'; ++c) allowed[c] = true;
    for (unsigned char c = 'a'; c <= 'z'; ++c) allowed[c] = allowed[c - 'a' + 'A'] = true;
    return allowed;
  }();
  return !text.empty() && std::ranges::all_of(text, [](char c) { return table[static_cast<unsigned char>(c)]; });
}

/// RFC 9110 section 5.5. A NUL cannot be in it: it ends the text.
bool is_field_value(std::string_view text) {
  return text.find('\r') == text.npos && text.find('\n') == text.npos;
}

}  // namespace

void MessageMap::forget_texts() {
  long_texts_.clear();
  used_ = 0;
  text_bytes_ = 0;
}

bool MessageMap::contains(const void* address) const {
  const auto is_in = [=](const void* begin, size_t bytes) {
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(begin) < bytes;
  };
  return is_in(this, sizeof *this) || is_in(entries_.data(), entries_.capacity() * sizeof(map_entry)) ||
         is_in(shown_entries_.data(), shown_entries_.capacity() * sizeof(map_entry)) ||
         is_in(block_.data(), block_.size()) ||
         std::ranges::any_of(long_texts_, [&](const auto& text) { return is_in(text.data(), text.size() + 1); });
}

char* MessageMap::keep(std::string_view text) {
  if (text.size() >= block_bytes - used_) return long_texts_.emplace_back(text).data();
  if (block_.empty()) block_.resize(block_bytes);
  char* const kept = block_.data() + used_;
  text.copy(kept, text.size());
  kept[text.size()] = '\0';
  used_ += text.size() + 1;
  return kept;
}

map* MessageMap::shown() {
  map_entry* entries = entries_.data();
  if (values_ == Values::headers) {
    shown_entries_ = entries_;
    entries = shown_entries_.data();
  }
  shown_ = {.entries = entries, .size = entries_.size(), .capacity = entries_.capacity(), .host = this};
  return &shown_;
}

MessageMap::Entries::iterator MessageMap::find(std::string_view key) {
  return std::ranges::find_if(entries_, [&](const map_entry& entry) { return same_ignoring_case(entry.key, key); });
}

int MessageMap::insert(const char* key, void* value) {
  if (values_ == Values::headers) return insert_text(key, static_cast<const char*>(value));
  return add_checked(key, value, {}, false);
}

int MessageMap::insert_text(const char* key, const char* text) {
  return add_checked(key, nullptr, text, true);
}

/// A header's name and value have to be what they may be. With `copies` the value is the text.
int MessageMap::add_checked(std::string_view name, void* value, std::string_view text, bool copies) {
  const bool is_header = values_ == Values::headers;
  if (is_header && (!is_token(name) || !is_field_value(text))) {
    rejected_ = true;
    return -MAP_ERR;
  }
  // Several cookies are several headers; of everything else the first stays. The entries of a request are where the
  // module can write to them, so this may fault.
  const bool repeatable = is_header && same_ignoring_case(name, "set-cookie");
  if (!repeatable && find(name) != entries_.end()) return MAP_OK;
  const size_t bytes = name.size() + text.size();
  if (entries_.size() >= max_entries || bytes > max_text_bytes - text_bytes_) return -MAP_FULL;
  // What the module gave was read.
  const HostSection section;
  try {
    char* const kept_key = keep(name);
    entries_.push_back({kept_key, copies ? keep(text) : value});
    shown();
  } catch (const std::bad_alloc&) {
    return -MAP_ERR;
  }
  text_bytes_ += bytes;
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
