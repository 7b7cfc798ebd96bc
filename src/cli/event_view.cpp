#include "cli/event_view.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/client_failure.h"
#include "cli/report_text.h"
#include "cli/terminal_text.h"

namespace cweb::cli {

namespace {

/// Whole, however long it is: a module's line.
std::string harmless_line(const nlohmann::json& text) {
  if (!text.is_string()) return {};
  std::string line = harmless(text.get_ref<const std::string&>());
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

/// Nothing when it is no time of cweb's.
std::optional<tm> as_local(const std::string& time, int& milliseconds) {
  tm utc{};
  if (std::sscanf(time.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour,
                  &utc.tm_min, &utc.tm_sec, &milliseconds) != 7) {
    return std::nullopt;
  }
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  const time_t seconds = ::timegm(&utc);
  tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return std::nullopt;
  return local;
}

}  // namespace

std::string local_time(const std::string& time) {
  int milliseconds = 0;
  const auto local = as_local(time, milliseconds);
  if (!local) return time;
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local->tm_hour, local->tm_min, local->tm_sec, milliseconds);
}

std::string local_date_and_time(const std::string& time) {
  int milliseconds = 0;
  const auto local = as_local(time, milliseconds);
  if (!local) return time;
  return fmt::format("{}-{:02}-{:02} {:02}:{:02}:{:02}", local->tm_year + 1900, local->tm_mon + 1, local->tm_mday,
                     local->tm_hour, local->tm_min, local->tm_sec);
}

std::string show_event(const nlohmann::json& event, bool colours) {
  const std::string type = text_in(event, "type");
  const std::string text = harmless_line(member_of(event, "text"));
  const auto line = [&](Colour colour, const std::string& shown, const std::string& rest = {}) {
    return coloured(colours, Colour::time, local_time(text_in(event, "time"))) + " " +
           coloured(colours, colour, shown) + rest + "\n";
  };
  if (type == "output") {
    const bool is_error = text_in(event, "stream") == "stderr";
    return line(is_error ? Colour::warning : Colour::note, text_in(event, "module") + ":", " " + text);
  }
  if (type == "fault" || type == "died" || type == "quarantined" || type == "deploy_failed" || type == "lost")
    return line(Colour::error, text);
  return line(Colour::bold, text);
}

}  // namespace cweb::cli
