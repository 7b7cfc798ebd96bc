#include "cli/watch_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/clock.h"
#include "cli/client_failure.h"
#include "cli/deploy_command.h"
#include "cli/diagnostic_text.h"
#include "cli/event_stream.h"
#include "cli/event_view.h"
#include "cli/file_watch.h"
#include "cli/output.h"
#include "cli/report_text.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

constexpr int retry_ms = 500;
/// How long the events have to begin before what is deployed first may say something unheard.
constexpr int hello_ms = 2'000;

class Watcher {
 public:
  Watcher(Client& client, WatchTargets targets, const Interrupts& interrupts, int end_fd, EventStream& events,
          FileWatch& files)
      : client_(client),
        targets_(std::move(targets)),
        interrupts_(interrupts),
        end_fd_(end_fd),
        events_(events),
        files_(files) {}

  Expected<void> run() {
    if (auto begun = begin(); !begun) return begun;
    while (!is_over_) {
      wait();
      if (is_over_) break;
      look_at_events_stream();
      look_at_files();
    }
    return {};
  }

 private:
  Expected<void> begin();
  void wait();
  void take_event(const ServerEvent& event);
  void look_at_events_stream();
  void look_at_files();
  void tell_gone(const std::string& file);
  void list_has_changed(const std::string& list);
  Expected<void> deploy_one(const std::string& file);
  void deploy_or_keep(const std::string& file);
  void tell_renamed(const std::string& file, const nlohmann::json& report) const;
  void print_fault(const nlohmann::json& event) const;
  int time_to_wait_ms() const;

  Client& client_;
  WatchTargets targets_;
  const Interrupts& interrupts_;
  const int end_fd_;
  EventStream& events_;
  FileWatch& files_;
  const bool out_colours_ = wants_colours(STDOUT_FILENO);
  const bool err_colours_ = wants_colours(STDERR_FILENO);
  std::map<std::string, std::string> modules_;  // their files
  std::set<std::string> failing_;               // files whose last deploy failed
  std::set<std::string> pending_;               // files that could not be sent: when the server is back
  std::string run_;                             // which life of the server
  bool is_lost_ = false;                        // the server does not answer now
  bool has_given_up_events_ = false;
  int64_t next_try_ms_ = 0;
  bool is_over_ = false;
};

Expected<void> Watcher::begin() {
  if (auto added = targets_.add_to(files_); !added) return added;
  events_.open({}, std::nullopt);
  const int64_t end_ms = monotonic_ms() + hello_ms;
  while (events_.state() == EventStream::State::connecting && monotonic_ms() < end_ms && !is_over_) wait();
  // A copy: a list may change meanwhile.
  const std::vector<std::string> files = targets_.files();
  for (const std::string& file : files) {
    if (is_over_) return {};
    if (auto deployed = deploy_one(file); !deployed && !interrupts_.came()) return deployed;
  }
  if (files.empty()) complain("there is no file yet; the first that is saved is deployed");
  return {};
}

int Watcher::time_to_wait_ms() const {
  const int64_t now_ms = monotonic_ms();
  int wait_ms = files_.time_to_wait_ms(now_ms);
  const bool is_closed = events_.state() == EventStream::State::closed && !has_given_up_events_;
  const auto at_most = [&](int64_t time_ms) {
    const int shorter = static_cast<int>(std::max<int64_t>(time_ms, 0));
    wait_ms = wait_ms < 0 ? shorter : std::min(wait_ms, shorter);
  };
  if (is_closed) at_most(next_try_ms_ - now_ms);
  if (events_.state() == EventStream::State::connecting) at_most(hello_ms);
  return wait_ms;
}

void Watcher::wait() {
  std::array<curl_waitfd, 3> fds{
      {{files_.fd(), CURL_WAIT_POLLIN, 0}, {interrupts_.fd(), CURL_WAIT_POLLIN, 0}, {end_fd_, CURL_WAIT_POLLIN, 0}}};
  const std::span<curl_waitfd> waited(fds.data(), end_fd_ < 0 ? 2 : 3);
  events_.wait(waited, time_to_wait_ms(), [this](const ServerEvent& event) { take_event(event); });
  const bool has_reader = flush_output();
  is_over_ = interrupts_.came() || (end_fd_ >= 0 && fds[2].revents != 0) || !has_reader;
  files_.read_events(monotonic_ms());
}

void Watcher::take_event(const ServerEvent& event) {
  if (event.type == "hello") {
    const std::string run = text_in(event.json, "run");
    // A server that has started anew may have none of them.
    if (!run_.empty() && run != run_) pending_.insert(targets_.files().begin(), targets_.files().end());
    if (is_lost_) complain("the server is there again");
    is_lost_ = false;
    run_ = run;
    return;
  }
  const auto module = modules_.find(text_in(event.json, "module"));
  if (event.type != "lost" && module == modules_.end()) return;
  // What was deployed is told by who deployed it.
  if (event.type != "output" && event.type != "fault" && event.type != "quarantined" && event.type != "lost") return;
  if (event.type == "fault") {
    print_fault(event.json);
  } else {
    print(show_event(event.json, out_colours_));
  }
  flush_output();
}

/// The whole report: what happened, the source line, the chain of calls.
void Watcher::print_fault(const nlohmann::json& event) const {
  const nlohmann::json& member = member_of(event, "report");
  std::string report = member.is_string() ? harmless(member.get_ref<const std::string&>()) : std::string();
  if (report.empty()) return print(show_event(event, out_colours_));
  if (!report.ends_with('\n')) report += '\n';
  report = with_files(report, text_in(event, "module"), modules_);
  const size_t end = report.find('\n');
  print(coloured(out_colours_, Colour::time, local_time(text_in(event, "time"))) + " " +
        coloured(out_colours_, Colour::error, report.substr(0, end)) + report.substr(end));
}

void Watcher::look_at_events_stream() {
  if (events_.state() == EventStream::State::open && !pending_.empty()) {
    for (const std::string& file : std::exchange(pending_, {})) deploy_or_keep(file);
  }
  if (events_.state() != EventStream::State::closed || has_given_up_events_) return;
  if (events_.is_refused()) {
    complain(events_.failure() + "; what modules print is not shown");
    has_given_up_events_ = true;
    is_lost_ = false;  // it does answer, and each save that it refuses is told of
    return;
  }
  if (!is_lost_) {
    complain(events_.failure() + "; trying again until Ctrl-C");
    is_lost_ = true;
    next_try_ms_ = monotonic_ms() + retry_ms;
  }
  if (monotonic_ms() < next_try_ms_) return;
  next_try_ms_ = monotonic_ms() + retry_ms;
  events_.open({}, std::nullopt);
}

void Watcher::look_at_files() {
  for (const std::string& path : files_.take_saved(monotonic_ms())) {
    if (is_over_ || interrupts_.came()) return;
    if (targets_.is_list(path)) {
      list_has_changed(path);
    } else if (::access(path.c_str(), F_OK) != 0) {
      tell_gone(path);
    } else {
      targets_.note(path);
      deploy_or_keep(path);
    }
  }
}

/// Of a file that was never told of nothing is told.
void Watcher::tell_gone(const std::string& file) {
  const bool is_known = failing_.erase(file) > 0;
  const bool has_module = std::ranges::any_of(modules_, [&](const auto& each) { return each.second == file; });
  if (is_known || has_module) complain(shown_file(file) + " is gone" + (has_module ? "; its module goes on" : ""));
}

void Watcher::list_has_changed(const std::string& list) {
  const auto added = targets_.read_again(list, files_);
  if (!added) return complain(added.error().message);
  for (const std::string& file : *added) deploy_or_keep(file);
}

void Watcher::deploy_or_keep(const std::string& file) {
  const auto deployed = deploy_one(file);
  if (deployed || interrupts_.came()) return;
  pending_.insert(file);
  // Said once: the events' stream tells when the server is there again.
  if (!is_lost_) complain(deployed.error().message);
}

Expected<void> Watcher::deploy_one(const std::string& file) {
  const auto source = read_source(file, FileKind::regular);
  if (!source) {
    complain(source.error().sentence);
    failing_.insert(file);
    return {};
  }
  const auto answer = send_source(client_, *source, false, interrupts_.flag());
  if (interrupts_.came()) return {};
  if (!answer) return std::unexpected(answer.error());
  const auto report = json_of_answer(client_.address(), *answer);
  if (!report) return std::unexpected(report.error());
  ReportText told = report_text(*report, shown_file(file), *source, err_colours_);
  const bool was_failing = failing_.erase(file) > 0;
  if (!told.succeeded) failing_.insert(file);
  const std::string module = text_in(member_of(*report, "module"), "name");
  if (!module.empty()) modules_[module] = file;
  print_message(told.messages);
  const std::string label = shown_file(file) + ": ";
  if (was_failing && told.result.starts_with(label)) {
    told.result.insert(label.size(), coloured(out_colours_, Colour::caret, "fixed") + ": ");
  }
  print(told.result);
  flush_output();
  tell_renamed(file, *report);
  return {};
}

/// A module that is called otherwise now finds its routes taken: by what it was before.
void Watcher::tell_renamed(const std::string& file, const nlohmann::json& report) const {
  if (text_in(report, "stage") != "routes") return;
  const std::string error = text_in(report, "error");
  for (const auto& [module, its_file] : modules_) {
    if (its_file != file || !error.ends_with(" belongs to module " + module)) continue;
    complain(shown_file(file) + " was module " + module + " before: `cweb remove " + module + " --server " +
             client_.address().url + "` frees its routes, and the next save is deployed");
  }
}

}  // namespace

int run_watch(Client& client, WatchTargets targets, const Interrupts& interrupts, int end_fd) {
  auto files = FileWatch::create();
  auto events = EventStream::create(client.address());
  if (!files || !events) {
    complain((files ? events.error() : files.error()).message);
    return 1;
  }
  if (auto ended = Watcher(client, std::move(targets), interrupts, end_fd, **events, **files).run(); !ended) {
    complain(ended.error().message);
    return 1;
  }
  return 0;
}

}  // namespace cweb::cli
