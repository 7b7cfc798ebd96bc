#include "store/object_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "store/digest.h"
#include "store/files.h"

namespace cweb::store {
namespace {

constexpr const char* folder = ".cache";
constexpr std::string_view magic = "cweb object 1\n";
constexpr size_t digest_digits = 64;
constexpr size_t longest_entry = size_t{1} << 30;
constexpr mode_t others = 077;

using Lengths = std::array<uint64_t, 4>;

/// Empty, or why what this says about a file or directory is no reason to trust it.
const char* why_not_trusted(const struct stat& facts) {
  if (facts.st_uid != ::geteuid()) return "belongs to another user";
  if ((facts.st_mode & others) != 0) return "is open to other users";
  return "";
}

}  // namespace

std::string encode_cache_entry(std::string_view fingerprint, std::string_view source_hash, const CachedObject& object) {
  const std::array<std::string_view, 4> texts{fingerprint, source_hash, object.facts, object.object};
  Lengths lengths{};
  for (size_t i = 0; i < texts.size(); ++i) lengths[i] = texts[i].size();
  std::string bytes(magic);
  bytes.append(reinterpret_cast<const char*>(lengths.data()), sizeof lengths);
  for (const std::string_view text : texts) bytes += text;
  return bytes + sha256_hex(bytes);
}

std::optional<CachedObject> decode_cache_entry(std::string_view bytes, std::string_view fingerprint,
                                               std::string_view source_hash) {
  if (bytes.size() < magic.size() + sizeof(Lengths) + digest_digits) return std::nullopt;
  std::string_view rest = bytes.substr(0, bytes.size() - digest_digits);
  if (sha256_hex(rest) != bytes.substr(rest.size()) || !rest.starts_with(magic)) return std::nullopt;
  rest.remove_prefix(magic.size());
  Lengths lengths{};
  std::memcpy(lengths.data(), rest.data(), sizeof lengths);
  rest.remove_prefix(sizeof lengths);
  std::array<std::string_view, 4> texts;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (lengths[i] > rest.size()) return std::nullopt;
    texts[i] = rest.substr(0, lengths[i]);
    rest.remove_prefix(lengths[i]);
  }
  if (!rest.empty() || texts[0] != fingerprint || texts[1] != source_hash) return std::nullopt;
  return CachedObject{.facts = std::string(texts[2]), .object = std::string(texts[3])};
}

std::unique_ptr<ObjectCache> ObjectCache::open(int directory, std::string fingerprint) {
  auto opened = open_directory(directory, folder, 0700);
  if (!opened) opened = open_directory(directory, folder);
  if (!opened) {
    log::warn("object code is not cached: {}: {}", folder, describe(opened.error().number));
    return nullptr;
  }
  struct stat facts{};
  // Not by way of a link: its target may be anybody's.
  if (::fstatat(directory, folder, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(facts.st_mode)) {
    log::warn("object code is not cached: {} is not a directory", folder);
    return nullptr;
  }
  if (const std::string why = why_not_trusted(facts); !why.empty()) {
    log::warn("object code is not cached: {} {}, and what is in it would be executed; remove it", folder, why);
    return nullptr;
  }
  return std::unique_ptr<ObjectCache>(new ObjectCache(std::move(*opened), std::move(fingerprint)));
}

ObjectCache::ObjectCache(UniqueFd directory, std::string fingerprint)
    : directory_(std::move(directory)),
      fingerprint_(std::move(fingerprint)),
      fingerprint_hash_(sha256_hex(fingerprint_).substr(0, 16)) {}

std::string ObjectCache::file_of(const std::string& source_hash) const {
  return source_hash + "-" + fingerprint_hash_;
}

std::optional<CachedObject> ObjectCache::find(const std::string& source_hash) const {
  const std::string file = file_of(source_hash);
  struct stat facts{};
  if (::fstatat(directory_.get(), file.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  if (const std::string why = why_not_trusted(facts); !why.empty()) {
    log::warn("cached object code {} {}: compiling anew", file, why);
    ::unlinkat(directory_.get(), file.c_str(), 0);
    return std::nullopt;
  }
  const auto bytes = read_file(directory_.get(), file, longest_entry, /*follow=*/false);
  auto object = bytes ? decode_cache_entry(*bytes, fingerprint_, source_hash) : std::nullopt;
  if (!object) {
    log::warn("cached object code {} is damaged: compiling anew", file);
    ::unlinkat(directory_.get(), file.c_str(), 0);
  }
  return object;
}

void ObjectCache::keep(const std::string& source_hash, const CachedObject& object) const {
  const std::string temporary = temporary_name();
  const std::string bytes = encode_cache_entry(fingerprint_, source_hash, object);
  auto written = write_new_file(directory_.get(), temporary, bytes, 0600, /*sync=*/false);
  const std::string file = file_of(source_hash);
  if (written && ::renameat(directory_.get(), temporary.c_str(), directory_.get(), file.c_str()) != 0) {
    written = file_error(errno);
    ::unlinkat(directory_.get(), temporary.c_str(), 0);
  }
  if (!written && !told_.exchange(true)) {
    log::warn("object code cannot be cached, the next start compiles it: {}", describe(written.error().number));
  }
}

void ObjectCache::forget(const std::string& source_hash) const {
  ::unlinkat(directory_.get(), file_of(source_hash).c_str(), 0);
}

void ObjectCache::keep_only(const std::set<std::string>& source_hashes) const {
  const auto names = names_in(directory_.get());
  if (!names) return;
  for (const std::string& name : *names) {
    const std::string_view whole = name;
    const size_t dash = whole.find('-');
    const bool is_used = dash != std::string_view::npos && whole.substr(dash + 1) == fingerprint_hash_ &&
                         source_hashes.contains(name.substr(0, dash));
    if (!is_used) ::unlinkat(directory_.get(), name.c_str(), 0);
  }
}

}  // namespace cweb::store
