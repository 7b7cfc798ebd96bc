#include "server/dispatch.h"

#include <cweb.h>

#include <cstring>

#include "base/ascii.h"
#include "base/log.h"
#include "http/status.h"
#include "runtime/fault_sink.h"
#include "runtime/heap.h"
#include "server/answer_body.h"
#include "server/fault_context.h"
#include "server/request_parts.h"

namespace cweb::server {
namespace {

/// What the answer to one request needs to know of it, from before the handler may have changed anything.
struct Asked {
  bool head_only;
  bool keep_alive;
  bool http10;
  std::string_view path;
  std::string_view further;  ///< header lines that every answer has

  http::ResponseHead head(int status) const {
    return {.status = status, .content_length = 0, .keep_alive = keep_alive, .http10 = http10, .further = further};
  }
};

void append_failure(std::string& out, const Asked& asked, int status, std::string_view sentence,
                    std::string_view extra_headers = {}) {
  http::append_plain_answer(out, asked.head(status), sentence, asked.head_only, extra_headers);
}

bool is_set_by_server(std::string_view name) {
  return same_ignoring_case(name, "date") || same_ignoring_case(name, "content-length") ||
         same_ignoring_case(name, "connection") || same_ignoring_case(name, "transfer-encoding");
}

void append_answer(std::string& out, const Asked& asked, int status, const runtime::MessageMap& headers,
                   std::string_view body) {
  http::ResponseHead head = asked.head(status);
  head.content_length = body.size();
  // The one line that it may have is the module's to decide on.
  head.further = {};
  http::begin_head(out, head);
  bool has_type = false;
  bool has_further = asked.further.empty();
  headers.each([&](std::string_view name, std::string_view value) {
    if (is_set_by_server(name)) return;
    has_type |= same_ignoring_case(name, "content-type");
    if (!has_further) has_further = same_ignoring_case(name, "strict-transport-security");
    http::add_header(out, name, value);
  });
  if (!has_further) out.append(asked.further);
  if (!has_type && !http::forbids_content(status)) out.append("Content-Type: text/html; charset=utf-8\r\n");
  http::end_head(out);
  if (!asked.head_only && !http::forbids_content(status)) out.append(body);
}

/// What the handler left, checked and put into the output.
void append_handler_answer(std::string& out, const Asked& asked, const runtime::ModuleVersion& version,
                           RequestParts& parts, const runtime::CallResult& result) {
  const auto broken = [&](std::string_view why) {
    log::error("module {} version {}: {}: {}", version.config.name, version.number, asked.path, why);
    append_failure(out, asked, 500, "the module's answer could not be sent: see the server's log");
    runtime::release_block(parts.response.body);
  };
  // Any number may be in there, and not only those that the enum can be.
  int status = 0;
  static_assert(sizeof status == sizeof parts.response.status);
  std::memcpy(&status, &parts.response.status, sizeof status);
  if (status == 0) status = result.value < 0 ? 500 : 200;
  if (status < 200 || status > 999) return broken(fmt::format("res->status is {}", status));
  if (parts.response_headers.rejected()) {
    return broken("a response header has a name or a value that HTTP does not allow (CR, LF, a space in the name)");
  }
  auto body = find_answer_body(version, parts.response.body, parts.response.content_length, parts.page.body());
  if (!body) return broken(body.error());
  append_answer(out, asked, status, parts.response_headers, body->bytes);
  if (body->bytes.data() == parts.page.body()) parts.page.written(body->bytes.size());
  if (body->block_to_free) runtime::release_block(body->block_to_free);
}

Dispatcher::Outcome answered(bool keep_alive) {
  return {.kept_loop = true, .keep_alive = keep_alive, .detached_answer = {}};
}

}  // namespace

Dispatcher::Outcome Dispatcher::answer(Exchange& exchange, bool keep_alive) {
  const http::RequestReader& reader = exchange.reader;
  const std::string_view path = path_of(reader.target());
  const std::string_view method = reader.method();
  const runtime::RouteTable& table = *runtime_.registry().table();
  const runtime::RouteMatch match = table.find(method, path);
  if (match.kind == runtime::RouteMatch::Kind::found) return call(exchange, match, path, keep_alive);

  std::string& out = exchange.out.bytes();
  const size_t start = out.size();
  const Asked asked{method == "HEAD", keep_alive, reader.minor_version() == 0, path, every_answers_headers_};
  if (match.kind == runtime::RouteMatch::Kind::no_such_path) {
    if (method == "OPTIONS" && path == "*") {
      append_failure(out, asked, 204, {}, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    } else if (table.find_socket(path).version) {
      append_failure(out, asked, 426, "this path is a WebSocket's", "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    } else {
      append_failure(out, asked, 404, "no module has this path");
    }
    return unrouted(out, start, keep_alive);
  }
  const std::string allow = "Allow: " + table.allowed_methods(path) + "\r\n";
  if (method == "OPTIONS") {
    append_failure(out, asked, 204, {}, allow);
  } else {
    append_failure(out, asked, 405, "this path does not have this method", allow);
  }
  return unrouted(out, start, keep_alive);
}

Dispatcher::Outcome Dispatcher::unrouted(const std::string& out, size_t start, bool keep_alive) {
  metrics_.unrouted.add(http::status_digit(out, start));
  forget_time();
  return answered(keep_alive);
}

/// Why the version is not called now; an empty sentence when it is.
struct Refusal {
  std::string_view sentence, headers;
};

inline Refusal refusal_of(const runtime::ModuleVersion& version) {
  const bool is_full = version.threads->is_full();
  const bool is_quarantined = version.quarantined.load(std::memory_order_relaxed);
  if (!is_full && !is_quarantined) return {};
  if (version.threads->is_full_of_stuck_calls()) return {stuck_sentence, "Retry-After: 30\r\n"};
  if (is_quarantined) return {quarantine_sentence, "Retry-After: 30\r\n"};
  return {"this module has all its threads in use: try again", "Retry-After: 1\r\n"};
}

/// While the version is still held. On the way of every request, and with one caller.
inline void Dispatcher::count_call(runtime::CallCounters& counters, size_t route, const runtime::CallResult& result,
                                   int status_digit, uint64_t start) {
  const uint64_t end = clock_.now();
  const uint64_t ticks = TickClock::between(start, end);
  const runtime::CallCounters::Call call{.route = route,
                                         .status_digit = status_digit,
                                         .bucket = buckets_.index_of(ticks),
                                         .ticks = ticks,
                                         .stopped = result.ending == runtime::CallResult::Ending::stopped};
  if (result.kept_loop) {
    last_end_ = end;
    counters.count(gate_.index(), call);
  } else {
    counters.count_detached(call);
  }
}

Dispatcher::Outcome Dispatcher::call(Exchange& exchange, const runtime::RouteMatch& match, std::string_view path,
                                     bool keep_alive) {
  http::RequestReader& reader = exchange.reader;
  runtime::ModuleVersion& version = *match.version;
  const Asked asked{reader.method() == "HEAD", keep_alive, reader.minor_version() == 0, path, every_answers_headers_};
  std::string& out = exchange.out.bytes();
  if (const Refusal refusal = refusal_of(version); !refusal.sentence.empty()) {
    append_failure(out, asked, 503, refusal.sentence, refusal.headers);
    forget_time();
    version.counters->count_refused(gate_.index(), match.route, 5);
    return answered(keep_alive);
  }
  if (exchange.logged) exchange.logged->module = version.config.name;
  const uint64_t start = last_end_ != 0 ? last_end_ : clock_.now();
  RequestParts& parts = RequestParts::of_this_thread();
  if (!parts.fill(reader, reader.method())) {
    append_failure(out, asked, 400, parts.fault());
    forget_time();
    version.counters->count_refused(gate_.index(), match.route, 4);
    return answered(keep_alive);
  }
  const runtime::CallResult result = [&] {
    const ShownRequest shown(parts, reader);
    return runtime::call_handler(runtime_.monitor(), gate_, version, match.route, parts.request, parts.response);
  }();
  Outcome outcome{.kept_loop = result.kept_loop, .keep_alive = keep_alive, .detached_answer = {}};
  // The answer is copied while the version is still held: its body may lie in the version's memory.
  std::string& to = result.kept_loop ? out : outcome.detached_answer;
  const size_t answer = to.size();
  if (result.ending == runtime::CallResult::Ending::stopped) {
    // The call is over, and its loop is another thread's.
    append_fault_answer(to, asked.head(0),
                        report_ended_call(version, *result.fault, describe_request(reader, asked.path)),
                        asked.head_only);
  } else {
    append_handler_answer(to, asked, version, parts, result);
  }
  count_call(*version.counters, match.route, result, http::status_digit(to, answer), start);
  if (result.kept_loop) {
    runtime::call_done(runtime_.retirer(), version);
  } else {
    runtime::detached_call_done(runtime_.retirer(), version);
  }
  return outcome;
}

void append_fault_answer(std::string& out, http::ResponseHead head, const runtime::FaultAnswer& answer,
                         bool head_only) {
  head.status = answer.status;
  head.content_length = answer.body.size();
  http::begin_head(out, head);
  http::add_header(out, "Content-Type", answer.content_type);
  http::add_header(out, "Cache-Control", "no-store");
  http::add_header(out, "X-Content-Type-Options", "nosniff");
  http::end_head(out);
  if (!head_only) out.append(answer.body);
}

bool is_management_target(std::string_view target) {
  constexpr std::string_view root = "/mgnt";
  if (!target.starts_with(root)) return false;
  return target.size() == root.size() || target[root.size()] == '/' || target[root.size()] == '?';
}

ManagementRequest make_management_request(const http::RequestReader& reader) {
  ManagementRequest request;
  const std::string_view target = reader.target();
  const size_t question = target.find('?');
  request.method = reader.method();
  request.minor_version = reader.minor_version();
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  for (const http::HeaderPiece& header : reader.headers()) {
    request.headers.emplace_back(reader.view(header.name), reader.view(header.value));
  }
  const std::span<const char> body = reader.body();
  request.body.assign(body.data(), body.size());
  return request;
}

void append_management_answer(Exchange& exchange, const ManagementAnswer& answer, bool keep_alive,
                              std::string_view further) {
  std::string& out = exchange.out.bytes();
  http::begin_head(out, {.status = answer.status,
                         .content_length = answer.body.size(),
                         .keep_alive = keep_alive,
                         .http10 = exchange.reader.minor_version() == 0,
                         .further = further});
  if (!http::forbids_content(answer.status)) http::add_header(out, "Content-Type", answer.content_type);
  for (const auto& [name, value] : answer.headers) http::add_header(out, name, value);
  http::end_head(out);
  if (exchange.reader.method() != "HEAD" && !http::forbids_content(answer.status)) out.append(answer.body);
}

void append_stream_head(Exchange& exchange, const ManagementAnswer& answer, std::string_view further) {
  std::string& out = exchange.out.bytes();
  http::begin_stream_head(out, {.status = answer.status,
                                .keep_alive = false,
                                .http10 = exchange.reader.minor_version() == 0,
                                .further = further});
  http::add_header(out, "Content-Type", answer.content_type);
  for (const auto& [name, value] : answer.headers) http::add_header(out, name, value);
  http::end_head(out);
}

}  // namespace cweb::server
