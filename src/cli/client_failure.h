// Why a call to a server came to nothing, as one sentence that says what to do. Pure functions; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/client.h"

namespace cweb::cli {

/// What libcurl says of a call without a whole answer.
struct CallFailure {
  int code = 0;        ///< a CURLcode
  std::string detail;  ///< its own words; may hold the peer's
  int os_error = 0;    ///< errno of a connection that was not made
  bool connected = false;
  bool answer_began = false;
  bool too_long = false;           ///< the answer
  bool changes_something = false;  ///< so that it matters whether it was done
};
std::string failure_sentence(const ServerAddress& address, const CallFailure& failure);

/// What is wrong with an answer that no command can go on with: a redirect, a key that is missing or wrong, too many of
/// them, a server that is busy or ends. Empty for all others, failures of deploys and unknown modules among them.
std::optional<std::string> refusal_sentence(const ServerAddress& address, const HttpAnswer& answer);

/// "what answers at URL is not cweb".
std::string not_cweb(const ServerAddress& address, const std::string& why);

/// refusal_sentence() and then the answer as JSON: fails for whatever is not an object of cweb's.
Expected<nlohmann::json> json_of_answer(const ServerAddress& address, const HttpAnswer& answer);

/// Not nested deeper than anything of cweb's: whoever walks through it does so in calls of itself. Discarded when it
/// is, or is no JSON.
nlohmann::json parse_json(std::string_view text);

/// The member's text, as it may be shown; empty when it is not there or no text.
std::string text_in(const nlohmann::json& object, const char* member);

}  // namespace cweb::cli
