// One thing that happened to a module, or one line that it printed, and how that is told. Plain data and pure
// functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/output_sink.h"

namespace cweb::mgnt {

struct Event {
  enum class Type : uint8_t { output, deployed, deploy_failed, restarted, removed, fault, quarantined, died };

  Type type = Type::output;
  runtime::OutputStream stream = runtime::OutputStream::out;  ///< of `output`
  bool cut = false;                                           ///< of `output`: the line was longer
  unsigned version = 0;                                       ///< 0: it has none, or none yet
  uint64_t id = 0;                                            ///< counts the events of this process from 1
  std::chrono::system_clock::time_point time;
  std::string module;   ///< may be empty, of a deploy whose source does not tell
  std::string text;     ///< one line for people, valid UTF-8
  std::string members;  ///< what its JSON has beyond that, as `,"name":value`; may be empty

  /// What it costs to keep.
  size_t bytes() const { return sizeof(Event) + module.size() + text.size() + members.size(); }
};

using EventPtr = std::shared_ptr<const Event>;

const char* to_string(Event::Type type);

/// As text of an event: what is no UTF-8 is replaced, and line ends become spaces.
std::string one_line(std::string_view text);

/// `,"name":"value"`, for Event::members.
void append_member(std::string& members, std::string_view name, std::string_view value);

/// On one line, without a line end.
void append_json(std::string& out, const Event& event);

/// With its line end. A control character is shown as \x1b, one that turns text around as \u202e: what modules print
/// may come from anybody.
void append_line(std::string& out, const Event& event);

/// The same characters, shown so.
void append_printable(std::string& out, std::string_view text);

}  // namespace cweb::mgnt
