// Secrets that are handed to the process: read once at start, before there is another thread, and not left where a
// module, a helper or somebody with the process list could read them.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"

namespace cweb::cli {

/// The environment variable that holds the admin key.
inline constexpr const char* admin_key_variable = "CWEB_ADMIN_KEY";
/// The one that holds the key for reading alone.
inline constexpr const char* read_key_variable = "CWEB_READ_KEY";

/// The value of an environment variable; empty when it is not set. Takes it out of the environment, also out of the
/// memory that /proc/PID/environ shows. No other thread may run.
std::optional<std::string> take_variable(const char* name);

/// A key of 256 random bits, in hexadecimal.
std::string make_key();

/// The read key, in the same way from CWEB_READ_KEY or --read-key-file.
Expected<std::optional<std::string>> take_read_key(const std::string& file);

/// The admin key: from the file when one is named, without the line end behind it, else from the environment, out of
/// which it is taken in any case. Empty when there is neither. Fails when there are both, or the file cannot be read.
Expected<std::optional<std::string>> take_admin_key(const std::string& file);

/// Overwrites the text's memory.
void forget(std::optional<std::string>& secret);

}  // namespace cweb::cli
