// The table of contents: takes the command line, builds the parts in their order, runs them, and ends them in the
// opposite order. Nothing else belongs here.

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/log.h"
#include "cli/health.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/run_client.h"
#include "cli/version.h"
#include "jit/compiler.h"
#include "jit/linker.h"
#include "jit/processor.h"
#include "mgnt/access.h"
#include "mgnt/deployer.h"
#include "mgnt/event_log.h"
#include "mgnt/fault_desk.h"
#include "mgnt/management_api.h"
#include "net/listener.h"
#include "parts.h"
#include "runtime/host_symbols.h"
#include "runtime/last_words.h"
#include "runtime/library_heap.h"
#include "runtime/runtime.h"
#include "server/access_log.h"
#include "server/server.h"
#include "server/server_metrics.h"
#include "supervise.h"
#include "supervisor/child.h"
#include "supervisor/deploy_journal.h"
#include "supervisor/service_manager.h"

namespace {

using namespace std::chrono_literals;

constexpr auto finish_requests_time = 10s;
constexpr auto unload_time = 5s;

int serve(const cweb::cli::ServeOptions& options, cweb::Supervised supervised) {
  CWEB_ASSERT(cweb::runtime::set_up_openssl_heap() && "nothing has used OpenSSL before");
  cweb::cli::set_up_signals();
  cweb::cli::raise_descriptor_limit();
  if (options.ready_fd >= 0 && !(supervised && supervised->is_restart())) {
    if (const auto kept = cweb::cli::keep_private(options.ready_fd); !kept)
      return cweb::give_up(kept.error().message, 2);
  }

  // Before there is a thread or a process that could inherit the key, or speak to the service manager.
  const auto service_manager = cweb::supervisor::ServiceManager::take_from_environment();
  const auto access = cweb::set_up_access(options, supervised);
  if (!access) return cweb::give_up(access.error().message, 2);

  const auto keeper = cweb::open_modules(options);
  if (!keeper) return cweb::give_up(keeper.error().message);
  const auto tls = cweb::set_up_tls(options);
  if (!tls) return cweb::give_up(tls.error().message, 2);

  // The helpers come first: they are copies of this process, and must not inherit threads, sockets or modules.
  auto compiler = cweb::start_compiler(options, supervised);
  if (!compiler) return cweb::give_up(compiler.error().message);
  cweb::runtime::set_up_host_libraries();
  auto linker = cweb::jit::Linker::create(cweb::runtime::host_symbols(), options.libraries);
  if (!linker) return cweb::give_up(linker.error().message, 2);
  auto runtime = cweb::runtime::Runtime::create();
  if (!runtime) return cweb::give_up(runtime.error().message);
  const auto primitives = cweb::make_primitives(options, supervised, **runtime);
  if (!primitives) return cweb::give_up(primitives.error().message, 2);
  auto journal = cweb::open_journal(supervised);
  if (!journal) return cweb::give_up(journal.error().message);
  if (supervised) cweb::runtime::set_crash_note(supervised->crash_note_fd());
  cweb::mgnt::EventLog events(options.production);
  if (supervised && !supervised->last_end().empty()) {
    events.server_died(supervised->last_end_in(), supervised->last_end());
  }
  const auto printer = cweb::capture_output(events);
  cweb::mgnt::Deployer deployer(**compiler, **linker, **runtime,
                                {.call_deadline = std::chrono::milliseconds(options.deadline_ms),
                                 .module_memory = options.module_memory_bytes,
                                 .journal = journal->get(),
                                 .keeper = keeper->get(),
                                 .observer = &events});
  cweb::mgnt::FaultDesk faults(
      deployer, (*runtime)->registry(),
      {.production = options.production, .most_faults = options.fault_limit, .observer = &events});
  cweb::runtime::set_fault_sink(&faults);
  cweb::server::ServerMetrics metrics;
  auto access_log = cweb::open_access_log(options, metrics);
  if (!access_log) return cweb::give_up(access_log.error().message);
  auto redirects = cweb::take_redirect_listeners(options, supervised);
  if (!redirects) return cweb::give_up(redirects.error().message);
  cweb::mgnt::ManagementApi management(deployer, **runtime, **access, metrics, faults,
                                       {.production = options.production, .events = &events});
  auto server =
      cweb::server::Server::create(cweb::server_options(options, supervised, tls->get(), std::move(*redirects)),
                                   **runtime, management, metrics, access_log->get());
  if (!server) return cweb::give_up(server.error().message);

  const auto certificate_watch = cweb::watch_certificate(tls->get());
  if (!certificate_watch) return cweb::give_up(certificate_watch.error().message);
  if (*access_log) (*access_log)->start();
  const auto directory = cweb::bring_back(deployer, (*runtime)->registry(), faults, supervised);
  (*server)->start();
  auto watch = cweb::watch_directory(options, directory);
  cweb::say_ready(options, **server, (*access)->always_asks_key(), supervised);
  service_manager.ready();
  cweb::cli::wait_for_end([&] {
    if (*access_log) (*access_log)->reopen();
    if (*certificate_watch) (*certificate_watch)->reload();
  });

  cweb::log::info("shutting down");
  service_manager.stopping();
  if (supervised) supervised->say_ending();
  if (watch) watch->stop();
  const bool finished = (*server)->stop(finish_requests_time);
  watch.reset();
  if (*access_log) (*access_log)->finish();
  const bool unloaded = (*runtime)->unload_all(unload_time);
  printer->finish();
  if (!finished || !unloaded || !(*runtime)->spare_threads().wait_until_idle(1s)) {
    // Nothing can end code of a module that does not return, and taking its memory away would crash it.
    cweb::log::warn("code of a module is still running; leaving without it");
    std::_Exit(0);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  cweb::cli::take_closed_standard_descriptors();
  if (const auto fd = cweb::cli::compile_helper_fd(argc, argv)) return cweb::jit::compile_helper_main(*fd);

  cweb::log::set_up();
  const cweb::cli::CommandLine command = cweb::cli::parse_command_line(argc, argv);
  if (const auto* done = std::get_if<cweb::cli::PrintAndExit>(&command)) {
    done->exit_code == 0 ? cweb::cli::print(done->text) : cweb::cli::print_message(done->text);
    return cweb::cli::finish_output(done->exit_code);
  }
  if (std::holds_alternative<cweb::cli::PrintVersion>(command)) {
    const std::string processor = cweb::jit::host_processor().name;
    cweb::cli::print(cweb::cli::version_text({.llvm = cweb::jit::llvm_version(), .processor = processor}));
    return cweb::cli::finish_output(0);
  }
  if (const auto* client = std::get_if<cweb::cli::ClientCommand>(&command)) return cweb::cli::run_client(*client);
  if (const auto* health = std::get_if<cweb::cli::HealthOptions>(&command)) return cweb::cli::ask_health(*health);
  auto options = std::get<cweb::cli::ServeOptions>(command);
  if (options.log_is_json) cweb::log::set_up(cweb::log::Format::json);
  if (options.host == cweb::cli::all_addresses) options.host = cweb::net::host_of_all_addresses();
  auto supervised = cweb::supervisor::Child::adopt();
  if (!supervised) return cweb::give_up(supervised.error().message, 2);
  if (!*supervised && !options.no_supervisor) return cweb::supervise(argv, options);
  return serve(options, std::move(*supervised));
}
