// A fault as people and programs are told of it. Plain data and pure functions.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/code_image.h"

namespace cweb::mgnt {

/// One function of the chain of calls; an inlined function is one of its own.
struct FaultFrame {
  std::string function = {};
  SourcePosition position = {};
  std::string module = {};  ///< whose code it is, when it is not that of the version that was called; else empty
  unsigned version = 0;     ///< of that module
};

struct FaultReport {
  std::string id;            ///< by which it is found in the log
  std::string time;          ///< UTC, ISO 8601; of the last time
  std::string module, hash;  ///< of the version that was called
  unsigned version = 0;
  std::string what;    ///< one sentence: "null pointer: write to address 0 (SIGSEGV)"
  std::string signal;  ///< "SIGSEGV"; empty for what is no signal
  uint64_t address = 0;
  std::vector<FaultFrame> chain;  ///< functions of modules, innermost first
  size_t frames_left_out = 0;
  std::string call;         ///< "GET /crash", "onload"
  std::string request;      ///< lines; without secrets
  std::string consequence;  ///< "a fresh instance answers since 1.3 ms"
  std::string source_line;  ///< of where(), without its line end
  uint64_t times = 1;       ///< at this place of this version

  /// The innermost place in a module's source; null when no line is known.
  const FaultFrame* where() const;
};

/// The source of a frame: "module.c", or "plugin_b/module.c" when it is another module's.
std::string file_of(const FaultFrame& frame);

/// "null pointer: write to address 0 (SIGSEGV) at module.c:12:8 in crash". In another module's code: "... at
/// plugin_b/module.c:12:8 in crash of plugin_b version 3, called by plugin_a".
std::string sentence(const FaultReport& report);

/// Whole lines, without colour.
std::string to_text(const FaultReport& report);
/// What an answer leaves out: the request is its sender's, and the source line the module's author's.
struct FaultView {
  bool request = true;
  bool source_line = true;
};
nlohmann::ordered_json to_json(const FaultReport& report, FaultView view = {});
/// A page that needs nothing from elsewhere.
std::string to_html(const FaultReport& report);

}  // namespace cweb::mgnt
