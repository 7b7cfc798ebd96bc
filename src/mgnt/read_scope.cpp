#include "mgnt/read_scope.h"

#include <algorithm>
#include <array>

namespace cweb::mgnt {
namespace {

constexpr std::array<std::string_view, 4> whole_paths{"/mgnt", "/mgnt/", "/mgnt/metrics", "/mgnt/faults"};
constexpr std::string_view modules = "/mgnt/modules/";
constexpr std::string_view history = "/history";

}  // namespace

bool is_open_to_readers(std::string_view method, std::string_view path) {
  if (method != "GET" && method != "HEAD") return false;
  if (std::find(whole_paths.begin(), whole_paths.end(), path) != whole_paths.end()) return true;
  if (!path.starts_with(modules)) return false;
  std::string_view name = path.substr(modules.size());
  if (name.ends_with(history)) name.remove_suffix(history.size());
  return !name.empty() && name.find('/') == std::string_view::npos;
}

}  // namespace cweb::mgnt
