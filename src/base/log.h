// The server's log: one line an event on standard error. Any thread may log.
#pragma once

#include <spdlog/spdlog.h>

namespace cweb::log {

/// Sets the line's form. Called once, by main, before any other thread runs.
void set_up();

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace cweb::log
