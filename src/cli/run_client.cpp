#include "cli/run_client.h"

#include <csignal>
#include <optional>
#include <string>

#include "cli/client.h"
#include "cli/deploy_command.h"
#include "cli/include_dir.h"
#include "cli/interrupts.h"
#include "cli/login_command.h"
#include "cli/logs_command.h"
#include "cli/module_commands.h"
#include "cli/new_module.h"
#include "cli/output.h"
#include "cli/routes_ini.h"
#include "cli/run_command.h"
#include "cli/server_choice.h"
#include "cli/watch_command.h"

namespace cweb::cli {
namespace {

using What = ClientCommand::What;

constexpr int usage_error = 2;

int give_up(const Error& error, int exit_code) {
  complain(error.message);
  return exit_code;
}

int run_on(Client& client, const ClientCommand& command, const DeployPlan& plan) {
  switch (command.what) {
    case What::deploy:
      return run_deploy(client, command, plan);
    case What::list:
      return run_list(client, command);
    case What::show:
      return run_show(client, command);
    case What::source:
      return run_source(client, command);
    case What::remove:
      return run_remove(client, command);
    case What::history:
      return run_history(client, command);
    case What::rollback:
      return run_rollback(client, command);
    case What::restart:
      return run_restart(client, command);
    case What::logs:
      return run_logs(client, command);
    case What::watch:
    case What::run:
    case What::login:
    case What::new_module:
    case What::include_dir:
      break;
  }
  CWEB_ASSERT(false);
  return usage_error;
}

/// With the server of the command, or the one that `ini_url` names.
Expected<std::unique_ptr<Client>> connect(const ClientCommand& command, const std::string& ini_url, int& exit_code) {
  exit_code = usage_error;
  auto address = choose_address(command.server, ini_url);
  if (!address) return std::unexpected(address.error());
  warn_of_open_key(*address);
  exit_code = 1;
  return Client::create(std::move(*address));
}

int watch(const ClientCommand& command) {
  auto targets = WatchTargets::find(command.files, "name what to watch: cweb watch FILE...");
  if (!targets) return give_up(targets.error(), usage_error);
  Expected<std::string> ini_url = targets->server_url();
  if (ini_url->empty() && !names_server(command.server)) ini_url = server_of_ini(default_ini);
  if (!ini_url) return give_up(ini_url.error(), 1);
  int exit_code = 0;
  const auto client = connect(command, *ini_url, exit_code);
  if (!client) return give_up(client.error(), exit_code);
  const auto interrupts = Interrupts::take_over();
  if (!interrupts) return give_up(interrupts.error(), 1);
  return run_watch(**client, std::move(*targets), *interrupts, {.named_by_list = !names_server(command.server)});
}

int run(const ClientCommand& command) {
  if (command.what == What::new_module) {
    return make_new_module({.name = command.modules.front(), .websocket = command.websocket});
  }
  if (command.what == What::include_dir) return print_include_dir();
  if (command.what == What::run) return run_own(command);
  if (command.what == What::watch) return watch(command);
  DeployPlan plan;
  if (command.what == What::deploy) {
    auto made = plan_deploy(command);
    if (!made) {
      print_message(made.error().message);
      return made.error().exit_code;
    }
    plan = std::move(*made);
  } else if (!names_server(command.server)) {
    auto found = server_of_ini(default_ini);
    if (!found) return give_up(found.error(), 1);
    plan.ini_url = std::move(*found);
  }
  if (command.what == What::login) {
    const auto url = choose_server(command.server, plan.ini_url);
    return url ? run_login(command.server, *url, command.json) : give_up(url.error(), usage_error);
  }
  int exit_code = 0;
  const auto client = connect(command, plan.ini_url, exit_code);
  if (!client) return give_up(client.error(), exit_code);
  return run_on(**client, command, plan);
}

}  // namespace

int run_client(const ClientCommand& command) {
  std::signal(SIGPIPE, SIG_IGN);  // a server that hangs up, or a reader of the results, is an error of write()
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not become longer
  return finish_output(run(command));
}

}  // namespace cweb::cli
