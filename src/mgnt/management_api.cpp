#include "mgnt/management_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "http/form.h"
#include "mgnt/event_answers.h"
#include "mgnt/metrics.h"
#include "mgnt/module_history.h"
#include "mgnt/module_summary.h"
#include "mgnt/posted_source.h"
#include "mgnt/welcome_page.h"

namespace cweb::mgnt {
namespace {

using nlohmann::ordered_json;
using server::ManagementAnswer;
using server::ManagementRequest;

/// Whether the Accept header names the type.
bool accepts(const ManagementRequest& request, std::string_view type) {
  const std::string* accept = request.header("accept");
  if (accept == nullptr) return false;
  std::string_view rest = *accept;
  while (!rest.empty()) {
    const size_t end = rest.find(',');
    if (http::media_type(rest.substr(0, end)) == type) return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

/// Text is for people and the default; a program asks for JSON.
bool wants_json(const ManagementRequest& request) {
  return accepts(request, "application/json");
}

ManagementAnswer json_answer(int status, const ordered_json& json) {
  return {.status = status, .content_type = "application/json", .headers = {}, .body = json_text(json)};
}

ManagementAnswer text_answer(int status, std::string text) {
  ManagementAnswer answer;
  answer.status = status;
  answer.body = std::move(text);
  return answer;
}

ManagementAnswer error_answer(const ManagementRequest& request, int status, const std::string& message) {
  if (wants_json(request)) return json_answer(status, {{"error", message}});
  return text_answer(status, message + "\n");
}

ManagementAnswer refusal(const ManagementRequest& request, const Admission& admission) {
  ManagementAnswer answer = error_answer(request, admission.status, admission.sentence);
  if (!admission.challenge.empty()) answer.headers.emplace_back("WWW-Authenticate", admission.challenge);
  if (admission.status == 429) {
    answer.headers.emplace_back("Retry-After", std::to_string(admission.retry_after.count()));
  }
  return answer;
}

/// For OPTIONS, and for methods that the path does not have. `allow` is the Allow header's value.
ManagementAnswer other_method(const ManagementRequest& request, const char* allow) {
  ManagementAnswer answer;
  if (request.method == "OPTIONS") {
    answer.status = 204;
  } else {
    answer = error_answer(request, 405, request.path + " allows " + allow);
  }
  answer.headers.emplace_back("Allow", allow);
  return answer;
}

ManagementAnswer no_such_module(const ManagementRequest& request, const std::string& name) {
  return error_answer(request, 404, "there is no module named " + name);
}

/// Under which this server was reached. A Host that a shell could take for more than a name is not repeated: the page
/// has lines to copy.
std::string own_url(const ManagementRequest& request) {
  const std::string* host = request.header("host");
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
  const bool is_plain = host != nullptr && !host->empty() && host->find_first_not_of(plain) == std::string::npos;
  return (request.is_https ? "https://" : "http://") + (is_plain ? *host : "localhost");
}

bool is_get(const ManagementRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

std::string module_name(std::string_view escaped) {
  return http::percent_decode(escaped, http::Plus::is_plus);
}

/// Is `?check=1` given? Null when the query is not to be understood: a deploy that was meant as a check must not
/// happen.
std::optional<bool> check_only(std::string_view query) {
  const auto fields = http::parse_urlencoded(query);
  if (!fields) return std::nullopt;
  bool check = false;
  for (const auto& [name, value] : *fields) {
    if (name != "check") continue;
    if (value != "0" && value != "1") return std::nullopt;
    check = value == "1";
  }
  return check;
}

ManagementAnswer restarted_answer(const ManagementRequest& request, const std::string& name, unsigned version,
                                  const std::vector<std::string>& notices) {
  if (wants_json(request)) {
    return json_answer(200, {{"status", "restarted"}, {"name", name}, {"version", version}, {"notices", notices}});
  }
  std::string text = name + " is restarted\n";
  for (const std::string& notice : notices) text += "note: " + notice + "\n";
  return text_answer(200, text);
}

}  // namespace

ManagementApi::ManagementApi(Deployer& deployer, runtime::Runtime& runtime, Access& access,
                             const server::ServerMetrics& metrics, FaultDesk& faults, ManagementOptions options)
    : deployer_(deployer),
      runtime_(runtime),
      registry_(runtime.registry()),
      access_(access),
      metrics_(metrics),
      faults_(faults),
      options_(options) {}

ManagementAnswer ManagementApi::handle(const ManagementRequest& request) {
  ManagementAnswer answer = request.path == "/" ? welcome(request) : managed(request);
  // Answers hold sources and compiler messages: nobody keeps them, and no browser takes them for a page. There is no
  // CORS header on any answer, so scripts of other origins never read one.
  answer.headers.emplace_back("Cache-Control", "no-store");
  answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return answer;
}

ManagementAnswer ManagementApi::managed(const Request& request) {
  const Stopwatch watch;
  const Admission admission = access_.admit(request, std::chrono::nanoseconds(monotonic_ns()));
  AuditRecord record = begin_record(request);
  ManagementAnswer answer = admission.admitted() ? route(request, admission, record) : refusal(request, admission);
  if (is_audited(record, admission)) {
    const auto level = admission.admitted() ? spdlog::level::info : spdlog::level::warn;
    spdlog::log(level, "{}", audit_line(record, admission, request.peer, answer.status, watch.elapsed_ms()));
  }
  return answer;
}

/// Everybody may see it, and what is live is for those who could ask /mgnt. Where a key is set nobody is: whose key
/// would be tried here would be one more way to guess.
ManagementAnswer ManagementApi::welcome(const Request& request) {
  WelcomeFacts facts{.version = CWEB_VERSION,
                     .url = own_url(request),
                     .asks_key = access_.always_asks_key(),
                     .shows_modules = false,
                     .modules = {}};
  facts.shows_modules = !facts.asks_key && access_.admit(request, std::chrono::nanoseconds(monotonic_ns())).admitted();
  if (facts.shows_modules) {
    for (const runtime::ModuleStatus& status : registry_.list()) {
      facts.modules.push_back(summarize(*status.live));
      if (status.live->quarantined) facts.modules.back().state = "quarantined";
    }
  }
  ManagementAnswer answer = text_answer(200, welcome_page(facts));
  answer.content_type = "text/html; charset=utf-8";
  answer.headers.emplace_back("Content-Security-Policy", welcome_page_policy);
  return answer;
}

ManagementAnswer ManagementApi::route(const Request& request, const Admission& admission, AuditRecord& record) {
  constexpr std::string_view modules = "/mgnt/modules/";
  constexpr std::string_view source = "/source";
  constexpr std::string_view restarted = "/restart";
  constexpr std::string_view versions = "/history";
  constexpr std::string_view rolled_back = "/rollback";
  const std::string_view path = request.path;
  if (path == "/mgnt" || path == "/mgnt/") return root(request, view_for(admission), record);
  if (path == "/mgnt/health") return health(request);
  if (path == "/mgnt/metrics") return metrics(request);
  if (path == "/mgnt/logs" && options_.events != nullptr) return logs(request);
  if (path == "/mgnt/events" && options_.events != nullptr) return events(request);
  if (path == "/mgnt/faults") return faults(request, view_for(admission));
  if (path.starts_with(modules)) {
    std::string_view name = path.substr(modules.size());
    const bool asks_source = name.ends_with(source);
    const bool asks_restart = name.ends_with(restarted);
    const bool asks_history = name.ends_with(versions);
    const bool asks_rollback = name.ends_with(rolled_back);
    if (asks_source) name.remove_suffix(source.size());
    if (asks_restart) name.remove_suffix(restarted.size());
    if (asks_history) name.remove_suffix(versions.size());
    if (asks_rollback) name.remove_suffix(rolled_back.size());
    if (!name.empty() && name.find('/') == std::string_view::npos) {
      if (asks_restart) return restart(request, name, record);
      if (asks_history) return history(request, name);
      if (asks_rollback) return rollback(request, name, record);
      if (asks_source) return module_source(request, name);
      return module(request, name, view_for(admission), record);
    }
  }
  if (request.method == "PUT") {
    return error_answer(request, 404, "PUT goes to /mgnt itself; curl -T adds the file's name to a URL that ends in /");
  }
  return error_answer(request, 404, "there is nothing at " + request.path);
}

ManagementAnswer ManagementApi::root(const Request& request, FaultView view, AuditRecord& record) {
  if (request.method == "POST" || request.method == "PUT") return deploy(request, record);
  if (is_get(request)) return list(view);
  return other_method(request, "GET, HEAD, POST, PUT, OPTIONS");
}

ManagementAnswer ManagementApi::module(const Request& request, std::string_view escaped_name, FaultView view,
                                       AuditRecord& record) {
  const std::string name = module_name(escaped_name);
  if (request.method == "DELETE") return remove(request, name, record);
  if (!is_get(request)) return other_method(request, "GET, HEAD, DELETE, OPTIONS");
  return one_module(request, name, view);
}

ManagementAnswer ManagementApi::one_module(const Request& request, const std::string& name, FaultView view) const {
  const auto found = registry_.find(name);
  if (!found) return no_such_module(request, name);
  ordered_json json = to_json(*found, faults_.count(name));
  json["recent_faults"] = ordered_json::array();
  for (const FaultReport& report : faults_.reports(name)) json["recent_faults"].push_back(to_json(report, view));
  return json_answer(200, json);
}

ManagementAnswer ManagementApi::faults(const Request& request, FaultView view) const {
  if (!is_get(request)) return other_method(request, "GET, HEAD, OPTIONS");
  ordered_json json;
  json["faults"] = ordered_json::array();
  for (const FaultReport& report : faults_.reports()) json["faults"].push_back(to_json(report, view));
  return json_answer(200, json);
}

ManagementAnswer ManagementApi::restart(const Request& request, std::string_view escaped_name, AuditRecord& record) {
  if (request.method != "POST") return other_method(request, "POST, OPTIONS");
  const std::string name = module_name(escaped_name);
  const auto found = registry_.find(name);
  if (!found) return no_such_module(request, name);
  faults_.begin_anew(name);
  const Deployer::Restart restart = deployer_.restart(found->live, Deployer::RestartBy::call);
  if (restart.result == Deployer::Restart::Result::restarted) deployer_.forgive(name);
  record.set(restart, name);
  switch (restart.result) {
    case Deployer::Restart::Result::restarted:
      return restarted_answer(request, name, found->live->number, restart.report.notices);
    case Deployer::Restart::Result::failed:
      return report_answer(request, restart.report);
    case Deployer::Restart::Result::under_way:
    case Deployer::Restart::Result::not_live:
      break;
  }
  return error_answer(request, 409, "a deploy of " + name + " is under way, which starts a new instance anyway");
}

ManagementAnswer ManagementApi::module_source(const Request& request, std::string_view escaped_name) const {
  if (!is_get(request)) return other_method(request, "GET, HEAD, OPTIONS");
  const std::string name = module_name(escaped_name);
  const auto found = registry_.find(name);
  if (!found) return no_such_module(request, name);
  const runtime::ModuleVersion& live = *found->live;
  // Who takes both gets it as it is, and errors as JSON.
  if (wants_json(request) && !accepts(request, "text/x-c")) {
    return json_answer(200, {{"name", name}, {"version", live.number}, {"hash", live.hash}, {"source", live.source}});
  }
  ManagementAnswer answer = text_answer(200, live.source);
  answer.content_type = "text/x-c; charset=utf-8";
  return answer;
}

ManagementAnswer ManagementApi::health(const Request& request) const {
  if (!is_get(request)) return other_method(request, "GET, HEAD, OPTIONS");
  if (request.draining) return error_answer(request, 503, "shutting down");
  return wants_json(request) ? json_answer(200, {{"status", "ok"}}) : text_answer(200, "ok\n");
}

ManagementAnswer ManagementApi::metrics(const Request& request) const {
  if (!is_get(request)) return other_method(request, "GET, HEAD, OPTIONS");
  ManagementAnswer answer = text_answer(200, metrics_text(deployer_, runtime_, metrics_));
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return answer;
}

ManagementAnswer ManagementApi::logs(const Request& request) const {
  if (!is_get(request)) return other_method(request, "GET, HEAD, OPTIONS");
  const auto query = parse_event_query(request.query, /*is_page=*/true);
  if (!query) return error_answer(request, 400, query.error().message);
  const EventLog::Page page = options_.events->read(query->filter, query->after.value_or(0), query->limit);
  if (!wants_json(request)) return text_answer(200, page_text(page));
  ManagementAnswer answer = text_answer(200, page_json(*options_.events, page));
  answer.content_type = "application/json";
  return answer;
}

ManagementAnswer ManagementApi::events(const Request& request) const {
  if (!is_get(request)) return other_method(request, "GET, HEAD, OPTIONS");
  if (request.draining) return error_answer(request, 503, "the server is shutting down");
  EventLog& log = *options_.events;
  auto query = parse_event_query(request.query, /*is_page=*/false);
  if (!query) return error_answer(request, 400, query.error().message);
  // Who reconnects asks for the same URL again, and means what it has seen since.
  if (const std::string* last = request.header("last-event-id")) query->after = resume_after(log, *last);
  std::unique_ptr<EventLog::Subscription> subscription;
  if (request.method != "HEAD") {
    subscription = log.subscribe(std::move(query->filter), query->after, EventLog::Reader::stream);
    if (!subscription) {
      ManagementAnswer full = error_answer(
          request, 503,
          "all " + std::to_string(EventLog::most_streams) + " streams of events are taken: end one and try again");
      full.headers.emplace_back("Retry-After", "10");
      return full;
    }
  }
  ManagementAnswer answer;
  answer.content_type = "text/event-stream";
  answer.stream = std::make_unique<EventStream>(log.run(), std::move(subscription), query->after);
  return answer;
}

ManagementAnswer ManagementApi::deploy(const Request& request, AuditRecord& record) {
  const auto answer = [&](const DeployReport& report) {
    record.set(report);
    return report_answer(request, report);
  };
  const auto refused = [&](int status, std::string message) {
    return answer(failed_report(status, "request", std::move(message)));
  };
  if (request.draining) return refused(503, "the server is shutting down");
  const auto check = check_only(request.query);
  if (!check) return refused(400, "the query is not understood: ?check=1 checks without deploying");
  if (*check) record.action = AuditRecord::Action::check;
  const auto posted = read_posted_source(request);
  if (!posted) return refused(posted.error().status, posted.error().message);
  if (*check) return answer(deployer_.check(*posted));
  const DeployReport report = deployer_.deploy(*posted);
  if (report.status == DeployReport::Status::deployed) faults_.begin_anew(report.module->name);
  return answer(report);
}

ManagementAnswer ManagementApi::report_answer(const Request& request, DeployReport report) const {
  if (options_.production) leave_out_excerpts(report);
  ManagementAnswer answer = wants_json(request) ? json_answer(report.http_status, to_json(report))
                                                : text_answer(report.http_status, to_text(report));
  if (report.http_status == 503) answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

/// Whoever has the read key is told that something fails and where, and neither who sent what nor what is written
/// there.
FaultView ManagementApi::view_for(const Admission& admission) const {
  const bool reads_only = admission.how == Admission::How::read_key;
  return {.request = !reads_only, .source_line = !reads_only && !options_.production};
}

ManagementAnswer ManagementApi::list(FaultView view) const {
  ordered_json json;
  json["modules"] = ordered_json::array();
  for (const runtime::ModuleStatus& status : registry_.list()) {
    json["modules"].push_back(to_json(status, faults_.count(status.live->config.name)));
  }
  if (deployer_.keeper() != nullptr) json["files"] = deployer_.keeper()->files_json(view.source_line);
  return json_answer(200, json);
}

ManagementAnswer ManagementApi::history(const Request& request, std::string_view escaped_name) const {
  if (!is_get(request)) return other_method(request, "GET, HEAD, OPTIONS");
  const std::string name = module_name(escaped_name);
  if (deployer_.keeper() == nullptr) return error_answer(request, 404, no_history);
  const std::vector<store::HistoryEntry> entries = deployer_.keeper()->history(name);
  if (entries.empty()) return no_such_module(request, name);
  return json_answer(200, history_json(name, entries, registry_.find(name)));
}

ManagementAnswer ManagementApi::rollback(const Request& request, std::string_view escaped_name, AuditRecord& record) {
  if (request.method != "POST") return other_method(request, "POST, OPTIONS");
  const std::string name = module_name(escaped_name);
  const auto refused = [&](int status, const std::string& message) {
    record.result = "failed";
    record.reason = message;
    return error_answer(request, status, message);
  };
  if (request.draining) return refused(503, "the server is shutting down");
  if (deployer_.keeper() == nullptr) return refused(404, no_history);
  const auto live = registry_.find(name);
  const auto version =
      choose_version(name, deployer_.keeper()->history(name), live ? live->live->hash : std::string(), request.query);
  if (!version) return refused(version.error().http_status, version.error().message);
  auto source = deployer_.keeper()->read_version(name, *version);
  if (!source) return refused(source.error().http_status, source.error().message);
  const DeployReport report =
      deployer_.deploy({.code = std::move(*source), .repaired = false, .file = {}, .module = name});
  if (report.status == DeployReport::Status::deployed) faults_.begin_anew(report.module->name);
  record.set(report);
  return report_answer(request, report);
}

ManagementAnswer ManagementApi::remove(const Request& request, const std::string& name, AuditRecord& record) {
  const Deployer::Removal removal = deployer_.remove(name);
  record.set(removal);
  switch (removal.result) {
    case Deployer::Removal::Result::removed:
      return wants_json(request) ? json_answer(200, {{"status", "removed"}, {"name", name}})
                                 : text_answer(200, name + " is removed\n");
    case Deployer::Removal::Result::superseded:
      return error_answer(request, 409, "superseded: a later deploy of " + name + " is live already");
    case Deployer::Removal::Result::not_kept:
      return error_answer(request, removal.failure.http_status, removal.failure.message);
    case Deployer::Removal::Result::no_such_module:
      break;
  }
  return no_such_module(request, name);
}

}  // namespace cweb::mgnt
