// What a call changes of its thread's connection beyond its statements: pragmas, limits, attached files, temporary
// tables. It is noticed when SQL is prepared, and does not outlast the call.
#pragma once

#include <sqlite3.h>

#include <atomic>

namespace cweb::runtime {

/// Sets `changed` when SQL that changes such a thing is prepared; `changed` outlives the connection. What would reach
/// beyond the connection, or hand a module's function to it, does nothing or is refused.
void watch_settings(sqlite3* connection, std::atomic<bool>& changed);

/// Makes the settings those of `unchanged`, as far as statements that others are using now allow.
void put_settings_back(sqlite3* connection, sqlite3* unchanged);

}  // namespace cweb::runtime
