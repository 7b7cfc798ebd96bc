// The maps that a handler is shown: headers, parameters and form fields of a request, headers of a response. The C side
// sees a struct map; what it stands for is kept here, where a module's writes to the struct cannot reach it.
#pragma once

#include <cweb.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/library_heap.h"

namespace cweb::runtime {

/// Keys match without regard to case. One thread at a time.
class MessageMap {
 public:
  enum class Values {
    pointers,  ///< a request's: the value is what was given
    headers,   ///< a response's: the value's text is copied, and both must be what a header may hold (RFC 9110 section
               ///< 5)
  };
  explicit MessageMap(Values values) : values_(values) {}
  ~MessageMap() { mark_ = 0; }
  MessageMap(const MessageMap&) = delete;
  MessageMap& operator=(const MessageMap&) = delete;

  void clear() {
    entries_.clear();
    if (used_ > 0 || !long_texts_.empty()) forget_texts();
    rejected_ = false;
  }
  /// An entry whose text somebody else keeps for as long as the map is shown.
  void add(char* key, char* value) { entries_.push_back({key, value}); }
  /// What the handler gets. Valid until the next change.
  map* shown();

  // What the functions of cweb.h do with it.
  int insert(const char* key, void* value);
  /// The same for a text that the map copies whatever its kind.
  int insert_text(const char* key, const char* text);
  void* get(const char* key) const;
  int remove(const char* key);
  size_t size() const { return entries_.size(); }
  /// Is this an address in memory of the map's own: its rows, or texts that it has copied?
  bool contains(const void* address) const;

  /// Is there really a map at the address that a module's struct map tells of? May fault where there is nothing.
  static bool is_one(const MessageMap* map) { return map->mark_ == mark_of(map); }

  /// Has a header been given that would have split or broken the response?
  bool rejected() const { return rejected_; }
  template <class Function>
  void each(Function function) const {
    for (const map_entry& entry : entries_) {
      function(std::string_view(entry.key), std::string_view(static_cast<const char*>(entry.value)));
    }
  }

 private:
  using Entries = std::vector<map_entry, ServerAllocator<map_entry>>;

  static constexpr size_t block_bytes = 1024;
  static uint64_t mark_of(const MessageMap* map) {
    return reinterpret_cast<uintptr_t>(map) ^ uint64_t { 0x9d3c'51e7'0b86'f42a };
  }

  void forget_texts();
  int add_checked(std::string_view name, void* value, std::string_view text, bool copies);
  Entries::iterator find(std::string_view key);
  char* keep(std::string_view text);

  volatile uint64_t mark_ = mark_of(this);
  const Values values_;
  map shown_{};
  /// Of headers, what the module sees and can overwrite: the server reads its own entries when the call is over.
  Entries shown_entries_;
  Entries entries_;
  // What was copied, each with a NUL behind it; the addresses stay. First into the block, which is kept.
  ServerText block_;
  size_t used_ = 0;
  size_t text_bytes_ = 0;  ///< of all that was copied
  std::deque<ServerText> long_texts_;
  bool rejected_ = false;
};

}  // namespace cweb::runtime
