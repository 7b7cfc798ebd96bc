#include "cli/run_client.h"

#include <csignal>
#include <optional>
#include <string>

#include "cli/client.h"
#include "cli/deploy_command.h"
#include "cli/login_command.h"
#include "cli/module_commands.h"
#include "cli/output.h"
#include "cli/routes_ini.h"
#include "cli/server_choice.h"

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
    case What::login:
      break;
  }
  CWEB_ASSERT(false);
  return usage_error;
}

int run(const ClientCommand& command) {
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
  auto address = choose_address(command.server, plan.ini_url);
  if (!address) return give_up(address.error(), usage_error);
  warn_of_open_key(*address);
  const auto client = Client::create(std::move(*address));
  if (!client) return give_up(client.error(), 1);
  return run_on(**client, command, plan);
}

}  // namespace

int run_client(const ClientCommand& command) {
  std::signal(SIGPIPE, SIG_IGN);  // a server that hangs up, or a reader of the results, is an error of write()
  return finish_output(run(command));
}

}  // namespace cweb::cli
