// Requests as raw bytes, well formed and not: each tries one thing that servers in a row have read differently. Every
// case has a name and the status that cweb answers it with.
#pragma once

#include <string>
#include <vector>

namespace cweb::tests {

struct WireCase {
  std::string name;   ///< letters, digits and underscores; unique
  std::string bytes;  ///< one request, or what is taken for one; its path is "/case"
  int status = 400;   ///< 200: it is served, whole, and what is behind it is a request of its own
  bool served() const { return status == 200; }
};

const std::vector<WireCase>& wire_corpus();

}  // namespace cweb::tests
