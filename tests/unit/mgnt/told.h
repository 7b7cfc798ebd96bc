// What an event log has heard, as a test compares it.
#pragma once

#include <string>
#include <vector>

#include "mgnt/event_log.h"

namespace cweb::mgnt {

inline std::vector<std::string> told(const EventLog& log) {
  std::vector<std::string> texts;
  for (const EventPtr& event : log.read({}, 0, 100'000).events) texts.push_back(event->text);
  return texts;
}

}  // namespace cweb::mgnt
