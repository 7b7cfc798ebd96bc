// The name that somebody may have meant. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cweb::cli {

/// The one of `names` that is a few slips of the keyboard away from `name`; empty when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& names);

/// "there is no command 'delpoy': did you mean 'deploy'?"
std::string unknown_sentence(std::string_view what, std::string_view name, const std::vector<std::string>& names);

}  // namespace cweb::cli
