// What modules leave for each other and for their next version, in memory: names to pointers, and names to bytes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cweb::runtime {

class ModuleHeap;
class ModuleVersion;

/// Thread-safe. Calls no code of modules and follows no pointer that it is given.
class Cache {
 public:
  /// The pointers' names may take so many bytes, and the bytes with their names as many again.
  explicit Cache(size_t most_bytes) : most_bytes_(most_bytes) {}

  // Pointers.

  enum class Existing { keep, replace };
  /// `version` is the one that sets it. What its heap holds is kept in memory; the name of a pointer into its image
  /// goes with it, and does not keep a newer version of the module from setting its own. False without room for the
  /// name.
  bool set(ModuleVersion& version, std::string_view name, void* value, Existing existing);
  void* get(std::string_view name) const;
  bool remove(std::string_view name);
  /// Before the version's image goes.
  void forget(const ModuleVersion& version);

  // Bytes.

  using Bytes = std::shared_ptr<const std::string>;
  /// `ttl_ms` 0: for good. False when there is no room for so many.
  bool put(std::string_view name, std::string_view bytes, int64_t ttl_ms);
  /// Null when there are none of the name, or no more.
  Bytes fetch(std::string_view name);
  /// False when there are none of the name. With 0 they go at once.
  bool expire(std::string_view name, int64_t ttl_ms);

  /// What the bytes and their names take now.
  size_t bytes() const;

 private:
  struct Text {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  struct Pointer {
    void* value = nullptr;
    std::shared_ptr<ModuleHeap> heap;  ///< that holds the value; null: no version's that is known
    uint64_t image_of = 0;             ///< id of the version whose image holds the value; 0: none's
    std::string module;                ///< of image_of
  };
  Pointer describe_locked(ModuleVersion& version, void* value) const;

  struct Entry {
    std::string name;
    Bytes bytes;
    int64_t ends_ms = 0;  ///< monotonic; 0: never
  };
  using Entries = std::list<Entry>;
  Entries::iterator find_locked(std::string_view name);
  void erase_locked(Entries::iterator entry);

  const size_t most_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Pointer, Text, std::equal_to<>> pointers_;  // guarded by mutex_
  size_t pointer_bytes_ = 0;                                                  // guarded by mutex_
  Entries entries_;  // guarded by mutex_; the one that was used last comes first
  std::unordered_map<std::string_view, Entries::iterator> by_name_;  // guarded by mutex_; names are the entries'
  size_t bytes_ = 0;                                                 // guarded by mutex_
};

}  // namespace cweb::runtime
