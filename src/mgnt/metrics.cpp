#include "mgnt/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mgnt/exposition.h"
#include "mgnt/process_facts.h"

namespace cweb::mgnt {
namespace {

using runtime::StatusCounts;
using server::LoopMetrics;
using Type = Exposition::Type;

/// A live module with everything that is counted of it.
struct Module {
  runtime::ModuleStatus status;
  runtime::ModuleTotals totals;
  runtime::Retirer::Draining draining;

  const std::string& name() const { return status.live->config.name; }
};

std::vector<Module> collect_modules(runtime::Runtime& runtime) {
  std::vector<Module> modules;
  for (runtime::ModuleStatus& status : runtime.registry().list()) {
    Module& module = modules.emplace_back();
    module.totals = status.counters->totals();
    module.draining = runtime.retirer().draining(status.live->config.name);
    module.status = std::move(status);
  }
  return modules;
}

uint64_t sum(const server::ServerMetrics& server, const Tally LoopMetrics::* member) {
  uint64_t total = 0;
  for (const auto& loop : server.loops()) total += (*loop.*member).read();
  return total;
}

StatusCounts sum(const server::ServerMetrics& server, const runtime::StatusTally LoopMetrics::* member) {
  StatusCounts counts{};
  for (const auto& loop : server.loops()) (*loop.*member).add_to(counts);
  return counts;
}

std::string status_class(size_t index) {
  return fmt::format("{}xx", index + 2);
}

void write_requests(Exposition& out, const std::vector<Module>& modules, const server::ServerMetrics& server) {
  out.family(
      "cweb_http_requests_total", Type::counter,
      "Answered requests by module, route as the module declares it, and class of status; without a module those "
      "that no route was found for.");
  const auto samples = [&](const StatusCounts& counts, std::string_view module, const runtime::RouteName& route) {
    for (size_t i = 0; i < counts.size(); ++i) {
      // 2xx to 5xx are there from the start, so that a rate sees the first one; a module may invent others.
      if (i > 3 && counts[i] == 0) continue;
      out.sample(counts[i],
                 {{"module", module}, {"method", route.first}, {"route", route.second}, {"status", status_class(i)}});
    }
  };
  samples(sum(server, &LoopMetrics::unrouted), {}, {});
  for (const Module& module : modules) {
    for (const auto& [route, counts] : module.totals.routes) samples(counts, module.name(), route);
  }

  out.family(
      "cweb_http_request_duration_seconds", Type::histogram,
      "Time of the calls of a module's handlers, from the complete request to its answer, over all its versions.");
  for (const Module& module : modules) {
    const runtime::CallTotals& calls = module.totals.calls;
    out.histogram(latency_bounds_s, calls.calls_by_duration, server.clock().seconds(calls.ticks),
                  {{"module", module.name()}});
  }

  out.family("cweb_http_refused_requests_total", Type::counter,
             "Requests that were refused before a route was looked for, by status.");
  for (size_t i = 0; i <= server::refusal_statuses.size(); ++i) {
    uint64_t refused = 0;
    for (const auto& loop : server.loops()) refused += loop->refused[i].read();
    out.sample(refused, {{"status", i < server::refusal_statuses.size() ? fmt::format("{}", server::refusal_statuses[i])
                                                                        : "other"}});
  }

  out.family("cweb_management_requests_total", Type::counter, "Answered requests to /mgnt by class of status.");
  const StatusCounts management = sum(server, &LoopMetrics::management);
  for (size_t i = 0; i < 4; ++i) out.sample(management[i], {{"status", status_class(i)}});

  out.family("cweb_http_received_bytes_total", Type::counter, "Bytes read from clients.");
  out.sample(sum(server, &LoopMetrics::received_bytes));
  out.family("cweb_http_sent_bytes_total", Type::counter, "Bytes written to clients.");
  out.sample(sum(server, &LoopMetrics::sent_bytes));
}

void write_connections(Exposition& out, const server::ServerMetrics& server) {
  // Closed before accepted: a connection that comes in between must not make the difference negative.
  const uint64_t closed = sum(server, &LoopMetrics::closed);
  const uint64_t accepted = sum(server, &LoopMetrics::accepted);
  out.family("cweb_connections", Type::gauge, "Connections that are open.");
  out.sample(accepted - closed);
  out.family("cweb_connections_accepted_total", Type::counter,
             "Connections that were accepted, those turned away included.");
  out.sample(accepted);
  out.family("cweb_connections_turned_away_total", Type::counter,
             "Connections that were closed with a 503 because too many were open.");
  out.sample(sum(server, &LoopMetrics::turned_away));
  out.family("cweb_connections_evicted_total", Type::counter,
             "Connections that were closed while idle to make room for others.");
  out.sample(sum(server, &LoopMetrics::evicted));
  out.family("cweb_connections_timed_out_total", Type::counter,
             "Connections whose time was over, by what they were waiting for.");
  for (size_t i = 0; i < server::timed_out_names.size(); ++i) {
    uint64_t timed_out = 0;
    for (const auto& loop : server.loops()) timed_out += loop->timed_out[i].read();
    out.sample(timed_out, {{"waiting", server::timed_out_names[i]}});
  }
  out.family(
      "cweb_tls_handshakes_total", Type::counter,
      "Handshakes of TLS: full, resumed from a session ticket, or failed, silent peers and plain text included.");
  out.sample(sum(server, &LoopMetrics::full_handshakes), {{"result", "full"}});
  out.sample(sum(server, &LoopMetrics::resumed_handshakes), {{"result", "resumed"}});
  out.sample(sum(server, &LoopMetrics::failed_handshakes), {{"result", "failed"}});
  out.family("cweb_http_redirects_total", Type::counter, "Answers of the port that leads to HTTPS.");
  out.sample(sum(server, &LoopMetrics::redirects));
  const uint64_t ended = sum(server, &LoopMetrics::sockets_ended);
  const uint64_t opened = sum(server, &LoopMetrics::sockets_opened);
  out.family("cweb_websockets", Type::gauge, "WebSockets that are open; their connections are counted as such too.");
  out.sample(opened - ended);
  out.family("cweb_websockets_opened_total", Type::counter, "WebSockets that were opened.");
  out.sample(opened);
  out.family("cweb_websocket_messages_received_total", Type::counter, "Whole messages that WebSockets' peers sent.");
  out.sample(sum(server, &LoopMetrics::socket_messages));
  out.family("cweb_accept_pauses_total", Type::counter, "Times accepting paused because no descriptor was left.");
  out.sample(sum(server, &LoopMetrics::accept_pauses));
}

void write_modules(Exposition& out, const std::vector<Module>& modules) {
  const auto each = [&](std::string_view name, Type type, std::string_view help, const auto& value) {
    out.family(name, type, help);
    for (const Module& module : modules) out.sample(value(module), {{"module", module.name()}});
  };
  out.family("cweb_modules", Type::gauge, "Modules that are live.");
  out.sample(modules.size());
  each("cweb_module_version", Type::gauge, "Version of a module that is live, counted from 1.",
       [](const Module& module) { return module.status.live->number; });
  each("cweb_module_draining", Type::gauge, "Older versions of a module that calls are still inside of.",
       [](const Module& module) { return module.draining.versions; });
  each("cweb_module_stopped_calls_total", Type::counter,
       "Calls that a module's code ended with exit, abort or the like, over all its versions.",
       [](const Module& module) { return module.totals.calls.stopped; });
  each("cweb_module_detached_calls", Type::gauge,
       "Calls of a module that run off their loop because they take long, and constructors, onload and unload.",
       [](const Module& module) { return static_cast<uint64_t>(std::max(module.status.live->threads->in_use(), 0)); });
  each("cweb_module_stuck_calls", Type::gauge, "Those of them that are overdue and could not be ended.",
       [](const Module& module) { return static_cast<uint64_t>(std::max(module.status.live->threads->stuck(), 0)); });
  each("cweb_module_own_threads", Type::gauge, "Threads that a module has started itself, in all its versions.",
       [](const Module& module) { return static_cast<uint64_t>(std::max(module.status.threads, 0)); });
  const auto memory = [&](std::string_view name, std::string_view help, const auto& live, const auto& draining) {
    out.family(name, Type::gauge, help);
    for (const Module& module : modules) {
      out.sample(live(*module.status.live), {{"module", module.name()}, {"state", "live"}});
      out.sample(draining(module.draining), {{"module", module.name()}, {"state", "draining"}});
    }
  };
  memory(
      "cweb_module_heap_bytes", "Memory that a module's heap has taken.",
      [](runtime::ModuleVersion& live) { return live.heap().bytes(); },
      [](const runtime::Retirer::Draining& draining) { return draining.heap_bytes; });
  memory(
      "cweb_module_code_bytes", "Memory of a module's code and static data.",
      [](const runtime::ModuleVersion& live) { return live.image().bytes(); },
      [](const runtime::Retirer::Draining& draining) { return draining.code_bytes; });
}

void write_deploys(Exposition& out, const DeployCounts& counts, const jit::Compiler& compiler) {
  out.family("cweb_deploys_total", Type::counter, "Deploys by how they ended.");
  out.sample(counts.deployed, {{"result", "deployed"}});
  out.sample(counts.unchanged, {{"result", "unchanged"}});
  out.sample(counts.all_failed(), {{"result", "failed"}});
  out.family("cweb_deploy_failures_total", Type::counter, "Deploys that failed, by stage.");
  for (size_t i = 0; i < failure_stages.size(); ++i) out.sample(counts.failed[i], {{"stage", failure_stages[i]}});
  out.family("cweb_deploy_checks_total", Type::counter, "Sources that were found fine without being deployed.");
  out.sample(counts.checked);
  out.family("cweb_module_removals_total", Type::counter, "Modules that were removed.");
  out.sample(counts.removed);
  out.family("cweb_deploy_duration_seconds", Type::histogram,
             "Time of deploys by stage; hop is the way to the compiler and the wait for a free one.");
  for (size_t i = 0; i < timed_stages.size(); ++i) {
    const DeployCounts::Durations& durations = counts.durations[i];
    out.histogram(latency_bounds_s, durations.buckets, durations.sum_s, {{"stage", timed_stages[i]}});
  }
  out.family("cweb_compile_helpers", Type::gauge, "Compile helper processes that are ready or at work.");
  out.sample(compiler.helper_pids().size());
  out.family("cweb_compile_helper_restarts_total", Type::counter,
             "Compile helpers that were started in the place of others that had ended.");
  out.sample(compiler.helper_restarts());
}

void write_access_log(Exposition& out, const server::ServerMetrics& server) {
  out.family("cweb_access_log_lines_total", Type::counter, "Lines of the access log that were written.");
  out.sample(server.written_log_lines.read());
  out.family("cweb_access_log_dropped_lines_total", Type::counter,
             "Lines of the access log that were dropped because they could not be written in time.");
  out.sample(sum(server, &LoopMetrics::dropped_log_lines) + server.lost_log_lines.read());
}

void write_process(Exposition& out) {
  const ProcessFacts facts = process_facts();
  out.family("cweb_build_info", Type::gauge, "Always 1; which cweb this is.");
  out.sample(1, {{"version", CWEB_VERSION}});
  out.family("process_cpu_seconds_total", Type::counter, "Processor time used, without the compile helpers.");
  out.sample_seconds(facts.cpu_seconds);
  out.family("process_resident_memory_bytes", Type::gauge, "Resident memory, without the compile helpers.");
  out.sample(facts.resident_bytes);
  out.family("process_virtual_memory_bytes", Type::gauge, "Address space, most of it only reserved.");
  out.sample(facts.virtual_bytes);
  out.family("process_open_fds", Type::gauge, "Open descriptors.");
  out.sample(facts.open_descriptors);
  out.family("process_max_fds", Type::gauge, "Descriptors that may be open.");
  out.sample(facts.descriptor_limit);
  out.family("process_start_time_seconds", Type::gauge, "When the process was started, in seconds since 1970.");
  out.sample_seconds(facts.started_at);
}

}  // namespace

std::string metrics_text(const Deployer& deployer, runtime::Runtime& runtime, const server::ServerMetrics& server) {
  const std::vector<Module> modules = collect_modules(runtime);
  Exposition out;
  write_requests(out, modules, server);
  write_connections(out, server);
  write_modules(out, modules);
  write_deploys(out, deployer.counts(), deployer.compiler());
  out.family("cweb_handovers_total", Type::counter, "Times a loop went to another thread because a handler blocked.");
  out.sample(runtime.monitor().handovers());
  out.family("cweb_threads", Type::gauge, "Threads that drive loops or run module code, idle ones included.");
  out.sample(runtime.spare_threads().count());
  write_access_log(out, server);
  write_process(out);
  return out.take();
}

}  // namespace cweb::mgnt
