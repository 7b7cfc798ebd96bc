// The server's log: one line an event on standard error. Any thread may log.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace cweb::log {

/// How a line looks: for people, or a JSON object with "time" (RFC 3339, UTC), "level" and "message".
enum class Format { text, json };

/// Sets the line's form. Called by main, before any other thread runs; may be called again with another one.
void set_up(Format format = Format::text);

Format format();

/// Writes a line as it stands, without time and level; as JSON it has both like any other, and no "cweb: " in front.
/// Takes no memory and no lock, so that the supervisor may say something and a signal handler may.
void say(spdlog::level::level_enum level, std::string_view line);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace cweb::log
