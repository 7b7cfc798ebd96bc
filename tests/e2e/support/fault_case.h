// tests/e2e/faults/*.c: functions that fault, whose first comment says what is reported of them. And what all tests of
// faults ask of a source: where it faults.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace cweb::e2e {

/// What of its module a case is called from: frame_*.c.in makes a module NAME of it, with GET /count/NAME, which counts
/// its calls from 1 ("count 1").
enum class FaultFrame {
  handler,  ///< GET /fault/NAME
  socket,   ///< the message "fault" on WebSocket /socket/NAME; other messages count, as above
  onload,
  unload,
};

struct FaultCase {
  std::string name;
  std::string sentence;
  int status = 0;
  std::vector<std::string> says;   ///< each to be found in the sentence that says what happened
  std::vector<std::string> chain;  ///< the functions' names, innermost first; there may be more
  bool needs_response = false;     ///< what it does is a fault with a request's response alone
  std::string source;              ///< the whole module

  /// Does it end at its deadline? That of an onload is the server's, 10 s; of others it is 0.3 s.
  bool is_overdue() const;
};

/// All that can be called from there, sorted by name. A file that is not understood fails the test.
std::vector<FaultCase> read_fault_cases(FaultFrame frame);

/// Holds a report, as the server tells it in JSON, against what the case says.
void expect_report(const nlohmann::json& report, const FaultCase& fault);

/// Of the first line with this mark as a comment in it, from 1. A source without one fails the test.
unsigned marked_line(const std::string& source, const std::string& mark = "here");
/// The same, as reports have it: "module.c:12".
std::string marked_place(const std::string& source, const std::string& mark = "here");

}  // namespace cweb::e2e
