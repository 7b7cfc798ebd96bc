#include "mgnt/fault_desk.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "mgnt/module_summary.h"
#include "runtime/code_map.h"

namespace cweb::mgnt {
namespace {

using runtime::FaultAnswer;
using runtime::FaultContext;
using runtime::FaultRecord;
using runtime::ModuleVersion;

constexpr size_t most_reports = 20;
/// Names that were once modules; the oldest of them are of no interest to anybody.
constexpr size_t most_histories = 10'000;
constexpr int64_t window_ms = 10'000;

std::string new_id() {
  uint64_t number = 0;
  CWEB_ASSERT(getrandom(&number, sizeof number, 0) == sizeof number);
  return fmt::format("{:012x}", number & 0xffff'ffff'ffff);
}

std::string line_of(std::string_view source, unsigned line) {
  for (unsigned i = 1; i < line; ++i) {
    const size_t end = source.find('\n');
    if (end == source.npos) return {};
    source.remove_prefix(end + 1);
  }
  source = source.substr(0, source.find('\n'));
  if (source.ends_with('\r')) source.remove_suffix(1);
  return std::string(source.substr(0, 400));
}

bool is_same_place(const FaultReport& left, const FaultReport& right) {
  const FaultFrame* const one = left.where();
  const FaultFrame* const other = right.where();
  if (left.version != right.version || left.hash != right.hash || left.call != right.call) return false;
  if (one == nullptr || other == nullptr) return one == other && left.what == right.what;
  return one->position.line == other->position.line && one->position.column == other->position.column &&
         one->module == other->module && one->version == other->version && left.signal == right.signal;
}

/// The version whose code a frame is, when it is not `called`; null when that is not known. One that is not live yet
/// was called by nobody.
std::shared_ptr<ModuleVersion> other_version(const ModuleVersion& called, const FaultRecord::Frame& frame) {
  if (frame.version == called.id()) return nullptr;
  std::shared_ptr<ModuleVersion> version = runtime::find_version(frame.version);
  return version && version->state() >= runtime::VersionState::live ? version : nullptr;
}

/// Adds the functions of one frame. The first line that is known is the one that is shown.
void add_frame(FaultReport& report, const ModuleVersion& called, const FaultRecord::Frame& frame) {
  const std::shared_ptr<ModuleVersion> other = other_version(called, frame);
  if (!other && frame.version != called.id()) return;
  const ModuleVersion& version = other ? *other : called;
  // A lock of its own may be held, too.
  if (other) other->suspect = true;
  const bool is_known = report.where() != nullptr;
  for (CodeLocation& location : version.image().locate(frame.pc)) {
    report.chain.push_back({.function = std::move(location.function),
                            .position = location.position,
                            .module = other ? other->config.name : std::string(),
                            .version = other ? other->number : 0});
  }
  const FaultFrame* const where = report.where();
  if (!is_known && where != nullptr) report.source_line = line_of(version.source, where->position.line);
}

}  // namespace

FaultDesk::FaultDesk(Deployer& deployer, runtime::Registry& registry, FaultDeskOptions options)
    : deployer_(deployer), registry_(registry), options_(options) {}

FaultAnswer FaultDesk::took_place(const std::shared_ptr<ModuleVersion>& version, const FaultRecord& fault,
                                  const FaultContext& context) {
  version->suspect = true;
  FaultReport report = describe(*version, fault, context);
  const FollowUp done = follow_up(version);
  report.consequence = done.consequence;
  keep(report);
  std::string text = to_text(report);
  text.pop_back();
  log::error("{}", text);
  tell(*version, report, fault, done);
  return answer(report, fault, context.accept);
}

FaultReport FaultDesk::describe(const ModuleVersion& version, const FaultRecord& fault, const FaultContext& context) {
  FaultReport report{.id = new_id(),
                     .time = utc_timestamp(),
                     .module = version.config.name,
                     .hash = version.hash,
                     .version = version.number,
                     .what = describe_fault(fault, version),
                     .signal = {},
                     .address = fault.address,
                     .chain = {},
                     .frames_left_out = fault.frames_left_out,
                     .call = context.call,
                     .request = context.request,
                     .consequence = {},
                     .source_line = {}};
  if (fault.kind == FaultRecord::Kind::signal) report.signal = fmt::format("SIG{}", sigabbrev_np(fault.signal));
  for (size_t i = 0; i < fault.frame_count; ++i) add_frame(report, version, fault.frames[i]);
  return report;
}

/// Notes a fault; true when there were more than there may be.
bool FaultDesk::is_too_often(const ModuleVersion& version) {
  const std::lock_guard lock(mutex_);
  History& history = histories_[version.config.name];
  std::deque<int64_t>& recent = history.recent_ms;
  const int64_t now = monotonic_ms();
  if (std::exchange(history.version, version.number) != version.number) recent.clear();
  recent.push_back(now);
  while (recent.front() < now - window_ms) recent.pop_front();
  return options_.most_faults != 0 && recent.size() > options_.most_faults;
}

void FaultDesk::tell(const ModuleVersion& version, const FaultReport& report, const FaultRecord& fault,
                     const FollowUp& follow_up) const {
  if (options_.observer == nullptr) return;
  std::string kind = report.signal;
  if (kind.empty()) kind = fault.kind == FaultRecord::Kind::deadline ? "deadline" : "stopped";
  options_.observer->faulted(report, kind);
  if (follow_up.quarantined) {
    options_.observer->quarantined(report.module, report.version, version.quarantine_reason);
  }
}

/// What is done about it.
FaultDesk::FollowUp FaultDesk::follow_up(const std::shared_ptr<ModuleVersion>& version) {
  const std::string& module = version->config.name;
  const auto live = registry_.find(module);
  const bool served =
      version->state() == runtime::VersionState::live || version->state() == runtime::VersionState::draining;
  if (!live || live->live != version) {
    return {.consequence = live && served ? "another instance answers already" : ""};
  }
  if (is_too_often(*version)) {
    const bool quarantined = registry_.quarantine(*version);
    return {.consequence = fmt::format("more than {} faults in 10 s: the module is quarantined and answers 503 until "
                                       "the next deploy, or a POST to /mgnt/modules/{}/restart",
                                       options_.most_faults, module),
            .quarantined = quarantined};
  }
  if (version->threads->is_full_of_stuck_calls()) {
    const int stuck = version->threads->stuck();
    const bool quarantined = registry_.quarantine(*version, fmt::format("{} of its calls are stuck", stuck));
    return {
        .consequence = fmt::format("{} of its calls are stuck: the module is quarantined and answers 503 until some "
                                   "of them have returned and it is deployed again, or restarted with a POST to "
                                   "/mgnt/modules/{}/restart",
                                   stuck, module),
        .quarantined = quarantined};
  }
  const Stopwatch watch;
  const Deployer::Restart restart = deployer_.restart(version, Deployer::RestartBy::fault);
  switch (restart.result) {
    case Deployer::Restart::Result::restarted:
      return {.consequence = fmt::format("a fresh instance answers, {:.1f} ms later", watch.elapsed_ms())};
    case Deployer::Restart::Result::under_way:
      return {.consequence = "a fresh instance answers after the deploy that is under way"};
    case Deployer::Restart::Result::not_live:
      return {.consequence = "another instance answers already"};
    case Deployer::Restart::Result::failed:
      break;
  }
  if (restart.report.http_status == 503) {
    // That is nothing that it has done.
    return {.consequence = fmt::format("no fresh instance could be started now ({}): this one goes on answering, and "
                                       "its next fault tries again",
                                       restart.report.message)};
  }
  const bool quarantined =
      registry_.quarantine(*version, fmt::format("it could not be started again: {}", restart.report.message));
  return {.consequence = fmt::format("no fresh instance could be started ({}): the module is quarantined and answers "
                                     "503",
                                     restart.report.message),
          .quarantined = quarantined};
}

void FaultDesk::keep(FaultReport& report) {
  const std::lock_guard lock(mutex_);
  if (histories_.size() > most_histories) histories_.erase(histories_.begin());
  History& history = histories_[report.module];
  ++history.count;
  auto& reports = history.reports;
  const auto known = std::find_if(reports.begin(), reports.end(),
                                  [&](const FaultReport& each) { return is_same_place(each, report); });
  if (known != reports.end()) {
    report.times = known->times + 1;
    reports.erase(known);
  }
  reports.push_front(report);
  if (reports.size() > most_reports) reports.pop_back();
}

FaultAnswer FaultDesk::answer(const FaultReport& report, const FaultRecord& fault, const std::string& accept) const {
  FaultAnswer answer;
  answer.status = fault.kind == FaultRecord::Kind::deadline ? 504 : 500;
  answer.id = report.id;
  answer.sentence = sentence(report);
  if (options_.production) {
    answer.sentence = fmt::format("the module has failed: fault {} in the server's log", report.id);
    answer.body = answer.sentence + "\n";
  } else if (accept.find("application/json") != accept.npos) {
    answer.content_type = "application/json";
    answer.body = json_text(to_json(report));
  } else if (accept.find("text/html") != accept.npos) {
    answer.content_type = "text/html; charset=utf-8";
    answer.body = to_html(report);
  } else {
    answer.body = to_text(report);
  }
  return answer;
}

std::vector<FaultReport> FaultDesk::reports(const std::string& module) const {
  const std::lock_guard lock(mutex_);
  const auto found = histories_.find(module);
  if (found == histories_.end()) return {};
  return {found->second.reports.begin(), found->second.reports.end()};
}

std::vector<FaultReport> FaultDesk::reports() const {
  std::vector<FaultReport> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [module, history] : histories_) {
      all.insert(all.end(), history.reports.begin(), history.reports.end());
    }
  }
  std::sort(all.begin(), all.end(),
            [](const FaultReport& left, const FaultReport& right) { return left.time > right.time; });
  return all;
}

uint64_t FaultDesk::count(const std::string& module) const {
  const std::lock_guard lock(mutex_);
  const auto found = histories_.find(module);
  return found == histories_.end() ? 0 : found->second.count;
}

void FaultDesk::begin_anew(const std::string& module) {
  const std::lock_guard lock(mutex_);
  const auto found = histories_.find(module);
  if (found != histories_.end()) found->second.recent_ms.clear();
}

}  // namespace cweb::mgnt
