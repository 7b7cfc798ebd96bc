#include "mgnt/event_log.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <queue>
#include <utility>

#include "base/error.h"
#include "runtime/module_version.h"

namespace cweb::mgnt {
namespace {

/// Of what a compiler or a fault report says.
constexpr size_t longest_text = size_t{64} << 10;

std::string new_run() {
  uint64_t number = 0;
  CWEB_ASSERT(getrandom(&number, sizeof number, 0) == sizeof number);
  return fmt::format("{:016x}", number);
}

std::shared_ptr<Event> make_event(Event::Type type, std::string module, unsigned version, std::string text) {
  auto event = std::make_shared<Event>();
  event->type = type;
  event->version = version;
  event->module = std::move(module);
  event->text = std::move(text);
  return event;
}

std::string named(const std::string& module, unsigned version) {
  return version == 0 ? module : fmt::format("{}, version {},", module, version);
}

}  // namespace

EventLog::EventLog(bool production) : production_(production), run_(new_run()) {}

void EventLog::record(std::shared_ptr<Event> event) {
  // Both are outside of the lock: what is let go takes time to destroy, and waking a loop is a system call.
  std::vector<EventPtr> gone;
  gone.reserve(2);
  std::vector<std::shared_ptr<EventQueue>> to_wake;
  event->members.shrink_to_fit();
  {
    const std::lock_guard lock(mutex_);
    event->id = ++last_id_;
    event->time = std::chrono::system_clock::now();
    note_life_locked(*event);
    ring_locked(*event).push(event, gone);
    for (const auto& reader : readers_) {
      if (reader->filter().wants(*event) && reader->push(event)) to_wake.push_back(reader);
    }
  }
  for (const auto& reader : to_wake) reader->wake();
}

EventRing& EventLog::ring_locked(const Event& event) {
  if (event.type != Event::Type::output) return events_;
  const auto [found, is_new] = lines_.try_emplace(event.module);
  // Until it is told to be live it is a deploy that may fail.
  if (is_new) let_go_locked(event.module);
  return found->second.ring;
}

void EventLog::note_life_locked(const Event& event) {
  if (event.type != Event::Type::deployed && event.type != Event::Type::removed) return;
  const bool is_live = event.type == Event::Type::deployed;
  Lines& lines = lines_[event.module];
  lines.live = is_live;
  std::erase(gone_, event.module);
  if (!is_live) let_go_locked(event.module);
}

void EventLog::let_go_locked(const std::string& module) {
  gone_.push_back(module);
  if (gone_.size() <= most_gone) return;
  if (const auto found = lines_.find(gone_.front()); found != lines_.end()) {
    const EventRing& ring = found->second.ring;
    last_of_gone_ = std::max({last_of_gone_, ring.last_gone(), ring.size() > 0 ? ring[ring.size() - 1]->id : 0});
    lines_.erase(found);
  }
  gone_.pop_front();
}

EventLog::Page EventLog::read(const EventFilter& filter, uint64_t after, size_t limit) const {
  const std::lock_guard lock(mutex_);
  return read_locked(filter, after, limit);
}

/// There may be many modules: no more events are looked at than are wanted, and one of each ring. From the last one
/// backwards.
EventLog::Page EventLog::read_locked(const EventFilter& filter, uint64_t after, size_t limit) const {
  limit = std::min(limit, most_read);
  Page page{.last_id = last_id_, .events = {}, .left_out = 0, .dropped = count_dropped_locked(filter, after)};
  struct Place {
    uint64_t id;
    const EventRing* ring;
    size_t first, index;
    bool operator<(const Place& other) const { return id < other.id; }
  };
  std::priority_queue<Place> last;
  const auto begin_at = [&](const EventRing& ring, size_t first, size_t end) {
    if (end > first) last.push({.id = ring[end - 1]->id, .ring = &ring, .first = first, .index = end - 1});
  };
  const bool is_of_some = !filter.modules.empty();
  if (!filter.output_only) {
    const size_t first = events_.first_after(after);
    for (size_t i = first; i < events_.size(); ++i) page.left_out += filter.wants(*events_[i]) ? 1 : 0;
    begin_at(events_, first, events_.size());
  }
  for (const auto& [module, lines] : lines_) {
    if (!filter.wants_module(module)) continue;
    const size_t first = lines.ring.first_after(after);
    page.left_out += lines.ring.size() - first;
    begin_at(lines.ring, first, lines.ring.size());
  }
  while (!last.empty() && page.events.size() < limit) {
    const Place place = last.top();
    last.pop();
    const EventPtr& event = (*place.ring)[place.index];
    if (!is_of_some || filter.wants(*event)) page.events.push_back(event);
    begin_at(*place.ring, place.first, place.index);
  }
  std::reverse(page.events.begin(), page.events.end());
  page.left_out -= page.events.size();
  return page;
}

/// Of each ring that has let go of something, one: how many it was is not known. Whose the last of the common ring was
/// is not known either, so it counts.
uint64_t EventLog::count_dropped_locked(const EventFilter& filter, uint64_t after) const {
  if (after == 0) return 0;
  uint64_t dropped = !filter.output_only && events_.last_gone() > after ? 1 : 0;
  size_t found = 0;
  for (const auto& [module, lines] : lines_) {
    if (!filter.wants_module(module)) continue;
    ++found;
    if (lines.ring.last_gone() > after) ++dropped;
  }
  const bool has_all = !filter.modules.empty() && found == filter.modules.size();
  if (!has_all && last_of_gone_ > after) ++dropped;
  return dropped;
}

std::unique_ptr<EventLog::Subscription> EventLog::subscribe(EventFilter filter, std::optional<uint64_t> after,
                                                            Reader reader) {
  const bool is_stream = reader == Reader::stream;
  auto queue = std::make_shared<EventQueue>(std::move(filter));
  const std::lock_guard lock(mutex_);
  if (is_stream && streams_ >= most_streams) return nullptr;
  if (after) {
    Page page = read_locked(queue->filter(), *after, most_read);
    size_t bytes = 0, kept = 0;
    for (; kept < page.events.size(); ++kept) {
      bytes += page.events[page.events.size() - 1 - kept]->bytes();
      if (bytes > most_kept_bytes) break;
    }
    const size_t too_old = page.events.size() - kept;
    page.events.erase(page.events.begin(), page.events.begin() + static_cast<std::ptrdiff_t>(too_old));
    queue->begin_with(std::move(page.events), page.dropped + page.left_out + too_old);
  }
  readers_.push_back(queue);
  if (is_stream) ++streams_;
  return std::unique_ptr<Subscription>(new Subscription(*this, std::move(queue), last_id_, is_stream));
}

EventLog::Subscription::~Subscription() {
  log_.unsubscribe(*this);
  queue_->close();
}

void EventLog::unsubscribe(const Subscription& subscription) {
  const std::lock_guard lock(mutex_);
  std::erase(readers_, subscription.queue_);
  if (subscription.is_stream_) --streams_;
}

void EventLog::deployed(const std::string& module, unsigned version) {
  record(make_event(Event::Type::deployed, module, version, one_line(named(module, version) + " is deployed")));
}

void EventLog::deploy_failed(const DeployReport& report) {
  const std::string who = report.name.empty() ? "the module" : report.name;
  const std::string_view message = std::string_view(report.message).substr(0, longest_text);
  auto event = make_event(Event::Type::deploy_failed, report.name, 0,
                          one_line(fmt::format("{} is not deployed ({}): {}", who, report.stage, message)));
  append_member(event->members, "stage", report.stage);
  append_member(event->members, "error", message);
  if (production_) {
    DeployReport shown;
    shown.rendered = report.rendered;
    leave_out_excerpts(shown);
    append_member(event->members, "rendered", std::string_view(shown.rendered).substr(0, longest_text));
  } else {
    append_member(event->members, "rendered", std::string_view(report.rendered).substr(0, longest_text));
  }
  record(std::move(event));
}

void EventLog::restarted(const std::string& module, unsigned version) {
  record(make_event(Event::Type::restarted, module, version, one_line(named(module, version) + " is restarted")));
}

void EventLog::removed(const std::string& module, unsigned version) {
  record(make_event(Event::Type::removed, module, version, one_line(module + " is removed")));
}

void EventLog::faulted(const FaultReport& report, const std::string& kind) {
  auto event =
      make_event(Event::Type::fault, report.module, report.version,
                 one_line(fmt::format("{} has failed: {}", named(report.module, report.version), sentence(report))));
  append_member(event->members, "kind", kind);
  if (const FaultFrame* const where = report.where()) {
    event->members += fmt::format(",\"line\":{}", where->position.line);
    append_member(event->members, "file", file_of(*where));
  }
  FaultReport shown = report;
  if (production_) shown.source_line.clear();
  append_member(event->members, "report", std::string_view(to_text(shown)).substr(0, longest_text));
  record(std::move(event));
}

void EventLog::quarantined(const std::string& module, unsigned version, const std::string& reason) {
  auto event = make_event(Event::Type::quarantined, module, version,
                          one_line(fmt::format("{} is quarantined: {}", named(module, version), reason)));
  append_member(event->members, "reason", reason);
  record(std::move(event));
}

void EventLog::server_died(const std::string& module, const std::string& sentence) {
  record(make_event(Event::Type::died, module, 0, one_line(sentence)));
}

void EventLog::printed(const runtime::ModuleVersion& version, runtime::OutputStream stream, std::string_view line,
                       bool cut) {
  auto event = make_event(Event::Type::output, version.config.name, version.number, one_line(line));
  event->stream = stream;
  event->cut = cut;
  record(std::move(event));
}

}  // namespace cweb::mgnt
