#include "supervisor/journal_record.h"

#include <zlib.h>

#include <cstring>

#include "base/error.h"

namespace cweb::supervisor {
namespace {

constexpr size_t longest_name = 4096;
/// Of any text; the compiler's bounds are far below.
constexpr size_t longest_text = size_t{1} << 30;

uint32_t checksum(std::string_view bytes, uint32_t before = 0) {
  return static_cast<uint32_t>(crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

uint32_t head_checksum(const RecordHead& head, std::string_view name) {
  const std::string_view fields(reinterpret_cast<const char*>(&head), offsetof(RecordHead, head_checksum));
  return checksum(name, checksum(fields));
}

uint32_t length_of(const std::string& text) {
  CWEB_ASSERT(text.size() <= longest_text);
  return static_cast<uint32_t>(text.size());
}

}  // namespace

size_t RecordHead::text_bytes() const {
  return size_t{deployed_at_bytes} + hash_bytes + source_bytes + facts_bytes + object_bytes;
}

size_t RecordHead::record_bytes() const {
  const size_t bytes = sizeof(RecordHead) + name_bytes + text_bytes();
  return (bytes + record_alignment - 1) / record_alignment * record_alignment;
}

std::string encode_record(RecordKind kind, const DeployRecord& record) {
  RecordHead head;
  head.kind = kind;
  head.number = record.number;
  head.name_bytes = length_of(record.name);
  head.deployed_at_bytes = length_of(record.deployed_at);
  head.hash_bytes = length_of(record.hash);
  head.source_bytes = length_of(record.source);
  head.facts_bytes = length_of(record.facts);
  head.object_bytes = length_of(record.object);
  std::string bytes;
  bytes.reserve(head.record_bytes());
  bytes.resize(sizeof head);
  bytes += record.name;
  const size_t texts = bytes.size();
  for (const std::string* text : {&record.deployed_at, &record.hash, &record.source, &record.facts, &record.object}) {
    bytes += *text;
  }
  head.texts_checksum = checksum(std::string_view(bytes).substr(texts));
  head.head_checksum = head_checksum(head, record.name);
  std::memcpy(bytes.data(), &head, sizeof head);
  bytes.resize(head.record_bytes());
  return bytes;
}

bool is_plausible(const RecordHead& head) {
  return head.magic == RecordHead::expected_magic && head.name_bytes <= longest_name &&
         head.deployed_at_bytes <= longest_text && head.hash_bytes <= longest_text &&
         head.source_bytes <= longest_text && head.facts_bytes <= longest_text && head.object_bytes <= longest_text;
}

bool is_sound(const RecordHead& head, std::string_view name) {
  return is_plausible(head) && name.size() == head.name_bytes && head.head_checksum == head_checksum(head, name);
}

std::optional<DeployRecord> decode_texts(const RecordHead& head, std::string_view name, std::string_view texts) {
  if (texts.size() != head.text_bytes() || checksum(texts) != head.texts_checksum) return std::nullopt;
  const auto next = [&](uint32_t bytes) {
    std::string text(texts.substr(0, bytes));
    texts.remove_prefix(bytes);
    return text;
  };
  DeployRecord record;
  record.name = name;
  record.number = head.number;
  record.deployed_at = next(head.deployed_at_bytes);
  record.hash = next(head.hash_bytes);
  record.source = next(head.source_bytes);
  record.facts = next(head.facts_bytes);
  record.object = next(head.object_bytes);
  return record;
}

}  // namespace cweb::supervisor
