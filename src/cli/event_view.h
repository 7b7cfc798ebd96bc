// A server's events as lines for people. Pure but for the time zone.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace cweb::cli {

/// "14:40:00.123 counter: hello", with the time of this machine, and a line end. `event` is an event of /mgnt/logs or
/// /mgnt/events; members that are missing, or of another type, are left out.
std::string show_event(const nlohmann::json& event, bool colours);

/// The report of a fault of `module` with the user's files, by their modules, in place of the server's names:
/// "module.c" is that module's source, "other/module.c" another one's. What is none of the user's stays as it is.
std::string with_files(std::string_view report, const std::string& module,
                       const std::map<std::string, std::string>& files);

/// "14:40:00.123" of "2026-11-26T14:40:00.123Z", in this machine's time zone; the text as it is when it is no such
/// time.
std::string local_time(const std::string& time);
/// "2026-11-26 14:40:00" in the same way.
std::string local_date_and_time(const std::string& time);

}  // namespace cweb::cli
