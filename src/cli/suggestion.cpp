#include "cli/suggestion.h"

#include <algorithm>

#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

/// Longer ones are nobody's slip, and the distance takes the product of the lengths.
constexpr size_t longest_name = 64;

/// Insertions, deletions, replacements and exchanges of neighbours between the two (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t k = 0; k <= b.size(); ++k) {
      if (i == 0 || k == 0) {
        cost[i][k] = i + k;
        continue;
      }
      const size_t replaced = cost[i - 1][k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
      cost[i][k] = std::min({replaced, cost[i - 1][k] + 1, cost[i][k - 1] + 1});
      const bool exchanged = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
      if (exchanged) cost[i][k] = std::min(cost[i][k], cost[i - 2][k - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& names) {
  if (name.size() > longest_name) return {};
  std::string nearest;
  size_t smallest = std::min(name.size() / 2, size_t{3});  // beyond half of it, it is another word
  for (const std::string& each : names) {
    const size_t found = distance(name, each);
    if (found > smallest || (found == smallest && !nearest.empty())) continue;
    smallest = found;
    nearest = each;
  }
  return nearest;
}

std::string unknown_sentence(std::string_view what, std::string_view name, const std::vector<std::string>& names) {
  const std::string nearest = nearest_name(name, names);
  return "there is no " + std::string(what) + " '" + one_line(name) + "'" +
         (nearest.empty() ? "" : ": did you mean '" + nearest + "'?");
}

}  // namespace cweb::cli
