// tests/e2e/faults/*.c: handlers that fault, whose first comment says what their clients are told. And what all tests
// of faults ask of a source: where it faults.
#pragma once

#include <string>
#include <vector>

namespace cweb::e2e {

/// A module NAME with GET /fault/NAME, which faults, and GET /count/NAME, which counts its calls: "count 1".
struct FaultCase {
  std::string name;
  std::string sentence;
  int status = 0;
  std::vector<std::string> says;   ///< each to be found in the sentence that says what happened
  std::vector<std::string> chain;  ///< the functions' names, innermost first; there may be more
  std::string source;              ///< the whole module
};

/// All of them, sorted by name. A file that is not understood fails the test.
std::vector<FaultCase> read_fault_cases();

/// Of the first line with this mark as a comment in it, from 1. A source without one fails the test.
unsigned marked_line(const std::string& source, const std::string& mark = "here");
/// The same, as reports have it: "module.c:12".
std::string marked_place(const std::string& source, const std::string& mark = "here");

}  // namespace cweb::e2e
