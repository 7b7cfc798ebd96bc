#include "http/date.h"

#include <time.h>

#include <array>
#include <cstdio>

namespace cweb::http {

std::string_view date_now() {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  thread_local time_t made_for = -1;
  thread_local std::array<char, 80> text;
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != made_for) {
    made_for = now.tv_sec;
    tm calendar{};
    gmtime_r(&made_for, &calendar);
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                  days[static_cast<size_t>(calendar.tm_wday)], calendar.tm_mday,
                  months[static_cast<size_t>(calendar.tm_mon)], calendar.tm_year + 1900, calendar.tm_hour,
                  calendar.tm_min, calendar.tm_sec);
  }
  return {text.data(), 29};
}

}  // namespace cweb::http
