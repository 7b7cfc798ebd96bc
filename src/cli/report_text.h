// What became of a deploy, as the commands tell it. Pure functions; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cweb::cli {

/// The server's report, told to a terminal or a file.
struct ReportText {
  bool succeeded = false;
  std::string result;    ///< a line for standard output; empty for a failure
  std::string messages;  ///< whole lines for standard error: diagnostics, notices, and the sentence of a failure
};

/// `file` is the source as the user calls it, `source` its text. `colours` are those of standard error.
ReportText report_text(const nlohmann::json& report, std::string_view file, std::string_view source, bool colours);

/// The notices of an answer about `subject`, a file or a module: whole lines.
std::string notices_text(const nlohmann::json& answer, std::string_view subject, bool colours);

/// "one, two and 3 more": at most about so many columns of them; 0: all.
std::string listed(const std::vector<std::string>& things, size_t most_columns);

/// "GET /counter" and the like, of a module, without its WebSockets.
std::vector<std::string> routes_of(const nlohmann::json& module);

/// "GET /counter, WebSocket /chat": the routes of a module, at most about so many characters of them; 0: all.
std::string routes_text(const nlohmann::json& module, size_t most_columns = 0);

/// A whole number of an object; 0 when it is none.
unsigned long long number_in(const nlohmann::json& object, const char* member);

/// The member, or null.
const nlohmann::json& member_of(const nlohmann::json& object, const char* member);

}  // namespace cweb::cli
