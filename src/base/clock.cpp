#include "base/clock.h"

#include <cstdio>

namespace cweb {

std::string utc_timestamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm calendar{};
  gmtime_r(&now.tv_sec, &calendar);
  char text[80];
  const int length = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", calendar.tm_year + 1900,
                                   calendar.tm_mon + 1, calendar.tm_mday, calendar.tm_hour, calendar.tm_min,
                                   calendar.tm_sec, static_cast<int>(now.tv_nsec / 1'000'000));
  return std::string(text, static_cast<size_t>(length));
}

}  // namespace cweb
