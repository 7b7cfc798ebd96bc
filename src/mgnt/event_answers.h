// Events as /mgnt/logs and /mgnt/events give them: what a query asks for, and how the answer looks.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "mgnt/event_log.h"
#include "server/management.h"

namespace cweb::mgnt {

struct EventQuery {
  EventFilter filter;
  std::optional<uint64_t> after;
  size_t limit = 1'000;
};

/// module=NAME, as often as wanted, and after=ID; limit=N for a page. Anything else is an error: who misspells a
/// filter must not wait for what never comes.
Expected<EventQuery> parse_event_query(std::string_view query, bool is_page);

/// Where to go on by a Last-Event-ID. One of another life of the server means from the start.
uint64_t resume_after(const EventLog& log, std::string_view last_event_id);

std::string page_text(const EventLog::Page& page);
/// With `left_out` where older events that were asked for are not in it: at least so many.
std::string page_json(const EventLog& log, const EventLog::Page& page);

/// Server-sent events (WHATWG HTML, 9.2). `after`: where it began. Without a subscription there is nothing to take,
/// which is enough for a HEAD.
class EventStream final : public server::AnswerStream {
 public:
  EventStream(std::string run, std::unique_ptr<EventLog::Subscription> subscription, std::optional<uint64_t> after);

  void wake_by(std::function<void()> wake) override;
  void take(std::string& out, size_t most_bytes) override;
  void ping(std::string& out) override;

 private:
  void append(std::string& out, const EventQueue::Item& item) const;

  const std::string run_;
  const std::unique_ptr<EventLog::Subscription> subscription_;
  const std::optional<uint64_t> after_;
  bool said_hello_ = false;
};

}  // namespace cweb::mgnt
