// Who is told of what modules print. The runtime puts it together to lines; what becomes of them is decided above it.
#pragma once

#include <cstdint>
#include <string_view>

namespace cweb::runtime {

class ModuleVersion;

enum class OutputStream : uint8_t { out, error };

class OutputSink {
 public:
  virtual ~OutputSink() = default;
  /// A line, without its newline; `cut`: it was longer than what is kept of one. On the thread that printed it, inside
  /// a call of the module: quick, and never waiting for anybody. Any thread, many at a time.
  virtual void printed(const ModuleVersion& version, OutputStream stream, std::string_view line, bool cut) = 0;
};

/// Of the process; null: what modules print goes nowhere. Outlives all calls.
void set_output_sink(OutputSink* sink);

}  // namespace cweb::runtime
