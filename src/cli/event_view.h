// A server's events as lines for people. Pure but for the time zone.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace cweb::cli {

/// "14:40:00.123 counter: hello", with the time of this machine, and a line end. `event` is an event of /mgnt/logs or
/// /mgnt/events; members that are missing, or of another type, are left out.
std::string show_event(const nlohmann::json& event, bool colours);

/// "14:40:00.123" of "2026-11-26T14:40:00.123Z", in this machine's time zone; the text as it is when it is no such
/// time.
std::string local_time(const std::string& time);
/// "2026-11-26 14:40:00" in the same way.
std::string local_date_and_time(const std::string& time);

}  // namespace cweb::cli
