// The maps that a handler is shown: headers, parameters and form fields of a request, headers of a response. The C side
// sees a struct map; what it stands for is kept here, where a module's writes to the struct cannot reach it.
#pragma once

#include <cweb.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
  void* get(const char* key) const;
  int remove(const char* key);
  size_t size() const { return entries_.size(); }

  /// Has a header been given that would have split or broken the response?
  bool rejected() const { return rejected_; }
  template <class Function>
  void each(Function function) const {
    for (const map_entry& entry : entries_) {
      function(std::string_view(entry.key), std::string_view(static_cast<const char*>(entry.value)));
    }
  }

 private:
  static constexpr size_t block_bytes = 1024;

  void forget_texts();
  std::vector<map_entry>::iterator find(std::string_view key);
  char* keep(std::string_view text);

  const Values values_;
  map shown_{};
  std::vector<map_entry> entries_;
  // What was copied, each with a NUL behind it; the addresses stay. First into the block, which is kept.
  std::unique_ptr<char[]> block_;
  size_t used_ = 0;
  std::deque<std::string> long_texts_;
  bool rejected_ = false;
};

}  // namespace cweb::runtime
