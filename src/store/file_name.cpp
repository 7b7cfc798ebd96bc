#include "store/file_name.h"

#include <fmt/format.h>

#include <iterator>

#include "store/digest.h"

namespace cweb::store {
namespace {

/// NAME_MAX is 255; there is room for "%99.c".
constexpr size_t longest_stem = 240;
constexpr size_t digest_digits = 64;
constexpr std::string_view suffix = ".c";

bool is_plain(std::string_view module, size_t at) {
  const char c = module[at];
  return c >= ' ' && c <= '~' && c != '%' && c != '/' && (c != '.' || at > 0);
}

}  // namespace

std::string file_stem(std::string_view module) {
  std::string stem;
  size_t readable = 0;  // as much of it as is left when it has to be cut
  for (size_t i = 0; i < module.size(); ++i) {
    if (is_plain(module, i)) {
      stem += module[i];
    } else {
      fmt::format_to(std::back_inserter(stem), "%{:02X}", static_cast<unsigned char>(module[i]));
    }
    if (stem.size() <= longest_stem - digest_digits - 2) readable = stem.size();
  }
  if (stem.size() <= longest_stem) return stem;
  return stem.substr(0, readable) + "%-" + sha256_hex(module);
}

std::string file_name(std::string_view module, unsigned attempt) {
  const std::string stem = file_stem(module);
  return attempt <= 1 ? stem + ".c" : fmt::format("{}%{}.c", stem, attempt);
}

bool is_module_file(std::string_view name) {
  return name.size() > suffix.size() && name.ends_with(suffix) && name.front() != '.';
}

}  // namespace cweb::store
