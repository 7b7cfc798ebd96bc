// How one record of the deploy journal looks as bytes, and whether bytes are one. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cweb::supervisor {

/// A module as it was deployed: all that a new process needs to have it again.
struct DeployRecord {
  std::string name;
  unsigned number = 0;  ///< the version's
  std::string deployed_at;
  std::string hash;
  std::string source;
  std::string facts;   ///< JSON
  std::string object;  ///< ELF
};

enum class RecordKind : uint32_t {
  module = 1,
  removal,
  death,  ///< `number`: how often the server process has died in a call of the module since a person started it
};

/// Records begin at multiples of this, so that the next one is found behind a damaged one.
inline constexpr size_t record_alignment = 8;

/// Followed by the name and the texts of the record in the order of DeployRecord, then by zeros to the alignment.
struct RecordHead {
  static constexpr uint32_t expected_magic = 0x6a72'6e6c;  // "jrnl"

  uint32_t magic = expected_magic;
  RecordKind kind{};
  uint32_t number = 0;
  uint32_t name_bytes = 0;
  uint32_t deployed_at_bytes = 0, hash_bytes = 0, source_bytes = 0, facts_bytes = 0, object_bytes = 0;
  uint32_t texts_checksum = 0;  ///< of what follows the name
  uint32_t head_checksum = 0;   ///< of all above and the name; a damaged text can be named by it
  uint32_t unused = 0;

  size_t text_bytes() const;
  /// From the head's first byte to the next record's.
  size_t record_bytes() const;
};

/// A whole record as bytes. `record` may have a name and a number only.
std::string encode_record(RecordKind kind, const DeployRecord& record);

/// Is it a head that can be followed? `name` is what stands behind it, as long as it says.
bool is_sound(const RecordHead& head, std::string_view name);
/// The same without the name's checksum, before the name is read.
bool is_plausible(const RecordHead& head);

/// Takes what follows the name apart. Empty when the checksum is another.
std::optional<DeployRecord> decode_texts(const RecordHead& head, std::string_view name, std::string_view texts);

}  // namespace cweb::supervisor
