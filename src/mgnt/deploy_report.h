// What became of a deploy, and how it is told: as text for people, as JSON for programs. Plain data and pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "jit/compiler.h"
#include "mgnt/module_summary.h"

namespace cweb::mgnt {

struct DeployTimings {
  double compile_ms = 0;  ///< inside the compiler
  double hop_ms = 0;      ///< to the compiler and back, and the wait for a free one
  double link_ms = 0;
  double onload_ms = 0;  ///< constructors and onload
  double total_ms = 0;   ///< from the request's body to the answer
};

struct DeployReport {
  enum class Status {
    deployed,
    unchanged,  ///< this very source is what runs already
    checked,    ///< it would deploy; nothing was changed
    failed,
  };
  Status status = Status::failed;
  int http_status = 500;
  std::string stage;    ///< of a failure: "request", "compile", "link", "config", "routes", "onload", "keep" or "start"
  std::string message;  ///< of a failure: one sentence
  std::string name;     ///< of a failure: whose deploy it was, as far as the source tells; may be empty
  std::string hash;     ///< of the source, SHA-256 in hexadecimal; empty when there was none to read
  bool repaired = false;  ///< newlines were put back into the source: its lines are not the file's
  std::optional<ModuleSummary> module;
  std::string keeps_serving;  ///< of a failure: "counter, version 3", when that runs on
  std::vector<jit::Diagnostic> diagnostics;
  std::string rendered;              ///< the diagnostics as Clang prints them
  std::vector<std::string> notices;  ///< what the user should know though nothing is wrong; one sentence each
  DeployTimings timings;
};

/// A failure without anything known of a module.
DeployReport failed_report(int http_status, std::string stage, std::string message);

const char* to_string(DeployReport::Status status);

/// Takes the source lines and carets out of what is shown, and leaves the messages with their places.
void leave_out_excerpts(DeployReport& report);

/// Whole lines, without colour.
std::string to_text(const DeployReport& report);
nlohmann::ordered_json to_json(const DeployReport& report);

}  // namespace cweb::mgnt
