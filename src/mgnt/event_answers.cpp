#include "mgnt/event_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/clock.h"
#include "http/form.h"

namespace cweb::mgnt {
namespace {

constexpr uint64_t most_events_of_a_page = EventLog::most_read;

std::optional<uint64_t> read_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Expected<EventQuery> parse_event_query(std::string_view query, bool is_page) {
  const auto fields = http::parse_urlencoded(query);
  if (!fields) return std::unexpected(fields.error());
  EventQuery asked;
  for (const auto& [name, value] : *fields) {
    const auto number = read_number(value);
    if (name == "module") {
      asked.filter.modules.push_back(value);
    } else if (name == "after") {
      if (!number) return fail("after= takes the number of an event");
      asked.after = number;
    } else if (name == "limit" && is_page) {
      if (!number || *number > most_events_of_a_page) {
        return fail(fmt::format("limit= takes a number up to {}", most_events_of_a_page));
      }
      asked.limit = *number;
    } else {
      return fail(fmt::format("{}= is not understood here: there are module=, after={}", one_line(name.substr(0, 100)),
                              is_page ? " and limit=" : ""));
    }
  }
  auto& modules = asked.filter.modules;
  std::sort(modules.begin(), modules.end());
  modules.erase(std::unique(modules.begin(), modules.end()), modules.end());
  return asked;
}

uint64_t resume_after(const EventLog& log, std::string_view last_event_id) {
  const size_t dot = last_event_id.rfind('.');
  if (dot == std::string_view::npos || last_event_id.substr(0, dot) != log.run()) return 0;
  return read_number(last_event_id.substr(dot + 1)).value_or(0);
}

std::string page_text(const EventLog::Page& page) {
  std::string text;
  for (const EventPtr& event : page.events) append_line(text, *event);
  return text;
}

std::string page_json(const EventLog& log, const EventLog::Page& page) {
  std::string json = fmt::format("{{\"run\":\"{}\",\"last_id\":{},", log.run(), page.last_id);
  const uint64_t missing = page.left_out + page.dropped;
  if (missing > 0) fmt::format_to(std::back_inserter(json), "\"left_out\":{},", missing);
  json += "\"events\":[";
  for (const EventPtr& event : page.events) {
    json += event == page.events.front() ? "\n" : ",\n";
    append_json(json, *event);
  }
  return json + "]}\n";
}

EventStream::EventStream(std::string run, std::unique_ptr<EventLog::Subscription> subscription,
                         std::optional<uint64_t> after)
    : run_(std::move(run)), subscription_(std::move(subscription)), after_(after) {}

void EventStream::wake_by(std::function<void()> wake) {
  if (subscription_) subscription_->wake_by(std::move(wake));
}

void EventStream::take(std::string& out, size_t most_bytes) {
  if (!subscription_) return;
  if (!std::exchange(said_hello_, true)) {
    // With a number, so that who loses the connection before the first event goes on from here.
    const uint64_t last = subscription_->last_id();
    fmt::format_to(std::back_inserter(out), "id: {0}.{1}\nevent: hello\ndata: {{\"run\":\"{0}\",\"last_id\":{2}}}\n\n",
                   run_, std::min(after_.value_or(last), last), last);
  }
  for (const EventQueue::Item& item : subscription_->take(most_bytes)) append(out, item);
}

void EventStream::append(std::string& out, const EventQueue::Item& item) const {
  if (item.event) {
    fmt::format_to(std::back_inserter(out), "id: {}.{}\nevent: {}\ndata: ", run_, item.event->id,
                   to_string(item.event->type));
    append_json(out, *item.event);
  } else {
    fmt::format_to(std::back_inserter(out),
                   "event: lost\ndata: {{\"time\":\"{}\",\"type\":\"lost\",\"count\":{},\"text\":\"{} events are "
                   "missing here: they came faster than they were read\"}}",
                   utc_timestamp(), item.lost, item.lost);
  }
  out.append("\n\n");
}

void EventStream::ping(std::string& out) {
  out.append(": ping\n\n");
}

}  // namespace cweb::mgnt
