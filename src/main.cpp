// The table of contents: takes the command line, builds the parts in their order, runs them, and ends them in the
// opposite order. Nothing else belongs here.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "base/log.h"
#include "cli/options.h"
#include "cli/process.h"
#include "cli/secrets.h"
#include "jit/compiler.h"
#include "jit/linker.h"
#include "mgnt/access.h"
#include "mgnt/deployer.h"
#include "mgnt/fault_desk.h"
#include "mgnt/management_api.h"
#include "runtime/host_symbols.h"
#include "runtime/runtime.h"
#include "server/access_log.h"
#include "server/server.h"
#include "server/server_metrics.h"

namespace {

using namespace std::chrono_literals;

constexpr auto finish_requests_time = 10s;
constexpr auto unload_time = 5s;

int give_up(const std::string& message, int exit_code = 1) {
  std::fprintf(stderr, "cweb: %s\n", message.c_str());
  return exit_code;
}

cweb::Expected<std::unique_ptr<cweb::jit::Compiler>> start_compiler(const cweb::cli::ServeOptions& options) {
  cweb::jit::CompilerOptions compiler_options;
  compiler_options.helpers = std::max(compiler_options.helpers, options.threads);
  compiler_options.include_dirs = options.include_dirs;
  return options.compile_in_process ? cweb::jit::compile_in_process(compiler_options)
                                    : cweb::jit::start_compile_helpers(compiler_options);
}

/// Null when none is asked for.
cweb::Expected<std::unique_ptr<cweb::server::AccessLog>> open_access_log(const cweb::cli::ServeOptions& options,
                                                                         cweb::server::ServerMetrics& metrics) {
  using cweb::server::AccessLogFormat;
  if (options.access_log.empty()) return nullptr;
  const AccessLogFormat format = options.access_log_is_json ? AccessLogFormat::json : AccessLogFormat::common;
  return cweb::server::AccessLog::open(options.access_log, format, metrics);
}

size_t max_connections(const cweb::cli::ServeOptions& options) {
  return options.max_connections > 0 ? options.max_connections : cweb::cli::connections_for_descriptors();
}

cweb::Expected<std::unique_ptr<cweb::mgnt::Access>> set_up_access(const cweb::cli::ServeOptions& options) {
  auto key = cweb::cli::take_admin_key(options.admin_key_file);
  if (!key) return std::unexpected(key.error());
  auto access = cweb::mgnt::Access::create(
      {.production = options.production, .admin_key = *key, .admin_hosts = options.admin_hosts});
  cweb::cli::forget(*key);
  return access;
}

/// Tells whoever started the server that requests are answered now.
void say_ready(const cweb::cli::ServeOptions& options, const cweb::server::Server& server, bool asks_key) {
  const std::string url = cweb::cli::url_of(server.host(), server.port());
  std::fprintf(stderr, "cweb is serving on %s - try: curl%s --data-binary @modules/counter.c %s/mgnt\n", url.c_str(),
               asks_key ? " -H \"Authorization: Bearer $CWEB_ADMIN_KEY\"" : "", url.c_str());
  if (options.ready_fd < 0) return;
  const auto written = cweb::cli::write_ready_line(options.ready_fd, server.host(), server.port());
  if (!written) cweb::log::warn("{}", written.error().message);
}

int serve(const cweb::cli::ServeOptions& options) {
  cweb::cli::set_up_signals();
  cweb::cli::raise_descriptor_limit();
  if (options.ready_fd >= 0) {
    if (const auto kept = cweb::cli::keep_private(options.ready_fd); !kept) return give_up(kept.error().message, 2);
  }

  // Before there is a thread or a process that could inherit the key.
  const auto access = set_up_access(options);
  if (!access) return give_up(access.error().message, 2);

  // The helpers come first: they are copies of this process, and must not inherit threads, sockets or modules.
  auto compiler = start_compiler(options);
  if (!compiler) return give_up(compiler.error().message);
  cweb::runtime::set_up_host_libraries();
  auto linker = cweb::jit::Linker::create(cweb::runtime::host_symbols());
  if (!linker) return give_up(linker.error().message);
  auto runtime = cweb::runtime::Runtime::create();
  if (!runtime) return give_up(runtime.error().message);
  cweb::mgnt::Deployer deployer(
      **compiler, **linker, **runtime,
      {.call_deadline = std::chrono::milliseconds(options.deadline_ms), .module_memory = options.module_memory_bytes});
  cweb::mgnt::FaultDesk faults(deployer, (*runtime)->registry(),
                               {.production = options.production, .most_faults = options.fault_limit});
  cweb::runtime::set_fault_sink(&faults);
  cweb::server::ServerMetrics metrics;
  auto access_log = open_access_log(options, metrics);
  if (!access_log) return give_up(access_log.error().message);
  cweb::mgnt::ManagementApi management(deployer, **runtime, **access, metrics, faults);
  auto server = cweb::server::Server::create({.host = options.host,
                                              .port = options.port,
                                              .threads = options.threads,
                                              .max_connections = max_connections(options),
                                              .max_body_bytes = options.max_body_bytes,
                                              .websockets = {.max_message_bytes = options.ws_max_message_bytes,
                                                             .ping_ms = options.ws_ping_seconds * int64_t{1000}}},
                                             **runtime, management, metrics, access_log->get());
  if (!server) return give_up(server.error().message);

  if (*access_log) (*access_log)->start();
  (*server)->start();
  say_ready(options, **server, (*access)->always_asks_key());
  cweb::cli::wait_for_end([&] {
    if (*access_log) (*access_log)->reopen();
  });

  cweb::log::info("shutting down");
  const bool finished = (*server)->stop(finish_requests_time);
  if (*access_log) (*access_log)->finish();
  const bool unloaded = (*runtime)->unload_all(unload_time);
  if (!finished || !unloaded || !(*runtime)->spare_threads().wait_until_idle(1s)) {
    // Nothing can end code of a module that does not return, and taking its memory away would crash it.
    cweb::log::warn("code of a module is still running; leaving without it");
    std::_Exit(0);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto fd = cweb::cli::compile_helper_fd(argc, argv)) return cweb::jit::compile_helper_main(*fd);

  cweb::log::set_up();
  const cweb::cli::CommandLine command = cweb::cli::parse_command_line(argc, argv);
  if (const auto* done = std::get_if<cweb::cli::PrintAndExit>(&command)) {
    std::fputs(done->text.c_str(), done->exit_code == 0 ? stdout : stderr);
    return done->exit_code;
  }
  return serve(std::get<cweb::cli::ServeOptions>(command));
}
