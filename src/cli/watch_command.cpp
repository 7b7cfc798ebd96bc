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
/// Of what answers have said of faults, whose events come soon.
constexpr size_t most_told = 64 * 1024;
constexpr size_t most_held = 1'000;

class Watcher {
 public:
  Watcher(Client& client, WatchTargets targets, const Interrupts& interrupts, WatchedServer server, EventStream& events,
          FileWatch& files)
      : client_(client),
        targets_(std::move(targets)),
        interrupts_(interrupts),
        end_fd_(server.end_fd),
        list_names_server_(server.named_by_list),
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
  void take_events_now();
  std::string file_of(const nlohmann::json& event) const;
  void tell_fault(const nlohmann::json& event, const std::string& file) const;
  void release_events();
  void look_at_events_stream();
  void look_at_files();
  void tell_gone(const std::string& file);
  void list_has_changed(const std::string& list);
  void tell_other_server(const std::string& list);
  Expected<void> deploy_one(const std::string& file);
  void deploy_or_keep(const std::string& file);
  void tell_renamed(const std::string& file, const nlohmann::json& report) const;
  void print_fault(const nlohmann::json& event, const std::string& file) const;
  int time_to_wait_ms() const;

  Client& client_;
  WatchTargets targets_;
  const Interrupts& interrupts_;
  const int end_fd_;
  const bool list_names_server_;
  EventStream& events_;
  FileWatch& files_;
  const bool out_colours_ = wants_colours(STDOUT_FILENO);
  const bool err_colours_ = wants_colours(STDERR_FILENO);
  std::map<std::string, std::string> modules_;       // their files
  std::map<std::string, std::string> failing_;       // files whose last deploy failed, and what was sent
  std::string sending_;                              // the file that is being deployed; empty: none
  std::string sent_;                                 // its source
  std::vector<ServerEvent> held_;                    // what the answer that is awaited may explain
  std::string told_;                                 // what the last answers have said of faults
  std::set<std::string> pending_;                    // files that could not be sent: when the server is back
  std::string run_;                                  // which life of the server
  std::string list_server_ = targets_.server_url();  // what the list names, as it was told
  bool is_lost_ = false;                             // the server does not answer now
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
  // Of standard output its end alone is waited for, which needs no asking.
  std::array<curl_waitfd, 4> fds{{{files_.fd(), CURL_WAIT_POLLIN, 0},
                                  {interrupts_.fd(), CURL_WAIT_POLLIN, 0},
                                  {STDOUT_FILENO, 0, 0},
                                  {end_fd_, CURL_WAIT_POLLIN, 0}}};
  const std::span<curl_waitfd> waited(fds.data(), end_fd_ < 0 ? 3 : 4);
  events_.wait(waited, time_to_wait_ms(), [this](const ServerEvent& event) { take_event(event); });
  const bool is_read = flush_output() && has_reader();
  is_over_ = interrupts_.came() || (end_fd_ >= 0 && fds[3].revents != 0) || !is_read;
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
  // What was deployed is told by who deployed it.
  const bool is_servers = event.type == "lost" || event.type == "died";
  if (!is_servers && event.type != "output" && event.type != "fault" && event.type != "quarantined") return;
  const std::string file = file_of(event.json);
  const bool is_live = number_in(event.json, "version") != 0 || is_servers;
  if (!sending_.empty() && !is_live && (file.empty() || event.type == "fault")) {
    // Of others' modules there may be any number.
    if (held_.size() < most_held) held_.push_back(event);
    return;
  }
  if (file.empty() && !is_servers) return;
  if (event.type == "fault") {
    tell_fault(event.json, file);
  } else {
    print(show_event(event.json, out_colours_));
  }
  flush_output();
}

/// What has come by now; during a call of the client too.
void Watcher::take_events_now() {
  events_.wait({}, 0, [this](const ServerEvent& event) { take_event(event); });
}

/// The file whose module the event is about; empty: none of those that are watched. A module that is not live yet is
/// known by its name, which stands in the source that was sent: no answer has told it.
std::string Watcher::file_of(const nlohmann::json& event) const {
  const std::string module = text_in(event, "module");
  const auto known = modules_.find(module);
  if (known != modules_.end()) return known->second;
  if (module.empty() || number_in(event, "version") != 0) return {};
  const std::string literal = '"' + module + '"';
  if (!sending_.empty() && sent_.find(literal) != sent_.npos) return sending_;
  for (const auto& [file, source] : failing_) {
    if (source.find(literal) != source.npos) return file;
  }
  return {};
}

void Watcher::release_events() {
  for (const ServerEvent& event : std::exchange(held_, {})) take_event(event);
}

/// Unless the answer to a deploy has told of it.
void Watcher::tell_fault(const nlohmann::json& event, const std::string& file) const {
  const std::string report = text_in(event, "report");
  constexpr std::string_view begin = "fault ";
  const std::string id = report.starts_with(begin) ? report.substr(0, report.find(' ', begin.size()) + 1) : "";
  if (id.empty() || told_.find(id) == told_.npos) print_fault(event, file);
}

/// The whole report: what happened, the source line, the chain of calls.
void Watcher::print_fault(const nlohmann::json& event, const std::string& file) const {
  const nlohmann::json& member = member_of(event, "report");
  std::string report = member.is_string() ? harmless(member.get_ref<const std::string&>()) : std::string();
  if (report.empty()) return print(show_event(event, out_colours_));
  if (!report.ends_with('\n')) report += '\n';
  std::map<std::string, std::string> files = modules_;
  files[text_in(event, "module")] = file;
  report = with_files(report, text_in(event, "module"), files);
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
  tell_other_server(list);
  for (const std::string& file : *added) deploy_or_keep(file);
}

/// The address goes on to be the one that was chosen at the start. Once for each change.
void Watcher::tell_other_server(const std::string& list) {
  if (!list_names_server_ || targets_.server_url() == list_server_) return;
  list_server_ = targets_.server_url();
  if (list_server_ == client_.address().url) return;
  complain("server_url= of " + one_line(list) + " has changed from " + client_.address().url + " to " +
           (list_server_.empty() ? "nothing" : list_server_) + ": start cweb watch again");
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
    failing_[file];
    return {};
  }
  sending_ = file;
  sent_ = *source;
  const auto answer = send_source(client_, *source, false, interrupts_.flag(), [this] { take_events_now(); });
  take_events_now();
  sending_.clear();
  if (interrupts_.came()) return {};
  const auto report = answer ? json_of_answer(client_.address(), *answer) : std::unexpected(answer.error());
  if (!report) {
    release_events();
    return std::unexpected(report.error());
  }
  ReportText told = report_text(*report, shown_file(file), *source, err_colours_);
  const bool was_failing = failing_.erase(file) > 0;
  if (!told.succeeded) failing_[file] = *source;
  const std::string module = text_in(member_of(*report, "module"), "name");
  if (!module.empty()) modules_[module] = file;
  if (text_in(*report, "stage") == "onload") told_ += told.messages;
  if (told_.size() > most_told) told_.erase(0, told_.size() - most_told);
  release_events();
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
    complain(
        fmt::format("{0} was module {1} before: `cweb remove {1} --server {2}` frees its routes, and the next save is "
                    "deployed",
                    shown_file(file), module, client_.address().url));
  }
}

}  // namespace

int run_watch(Client& client, WatchTargets targets, const Interrupts& interrupts, WatchedServer server) {
  auto files = FileWatch::create();
  auto events = EventStream::create(client.address());
  if (!files || !events) {
    complain((files ? events.error() : files.error()).message);
    return 1;
  }
  if (auto ended = Watcher(client, std::move(targets), interrupts, server, **events, **files).run(); !ended) {
    complain(ended.error().message);
    return 1;
  }
  return 0;
}

}  // namespace cweb::cli
