// Object code of the modules that are kept, as files below .cache in their directory, so that a restart links and does
// not compile. An entry is used when it is whole, of this very source, compiler, flags and processor, and nobody else
// could have written it; anything else is removed and compiled again. Any thread; blocks its caller.
//
// The checksum protects from damage and not from malice: whoever may write in the directory may write a module there.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace cweb::store {

struct CachedObject {
  std::string facts;   ///< JSON
  std::string object;  ///< ELF
};

/// Thread-safe. What cannot be read or written is a line in the log, and costs a compile at the next start.
class ObjectCache {
 public:
  /// `directory` is the modules'. `fingerprint` says what besides the source an object depends on. Null, and the log
  /// says why, when there can be no cache that is to be trusted: somebody else owns it or may write there.
  static std::unique_ptr<ObjectCache> open(int directory, std::string fingerprint);

  std::optional<CachedObject> find(const std::string& source_hash) const;
  void keep(const std::string& source_hash, const CachedObject& object) const;
  void forget(const std::string& source_hash) const;
  /// Removes the entries of other sources than these, and of other compilers.
  void keep_only(const std::set<std::string>& source_hashes) const;

 private:
  ObjectCache(UniqueFd directory, std::string fingerprint);
  std::string file_of(const std::string& source_hash) const;

  const UniqueFd directory_;
  const std::string fingerprint_;
  const std::string fingerprint_hash_;
  mutable std::atomic<bool> told_{false};  ///< that it cannot be written
};

/// An entry as bytes: lengths, fingerprint, hash, facts, object, and the SHA-256 of all that. Pure.
std::string encode_cache_entry(std::string_view fingerprint, std::string_view source_hash, const CachedObject& object);
/// Empty when a byte of it is not as it was, or it is an entry of another fingerprint or source.
std::optional<CachedObject> decode_cache_entry(std::string_view bytes, std::string_view fingerprint,
                                               std::string_view source_hash);

}  // namespace cweb::store
