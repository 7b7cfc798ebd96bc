#include "cli/run_command.h"

#include <poll.h>

#include <memory>
#include <utility>

#include "cli/interrupts.h"
#include "cli/output.h"
#include "cli/own_server.h"
#include "cli/watch_command.h"

namespace cweb::cli {
namespace {

constexpr int usage_error = 2;

bool is_readable(int fd) {
  pollfd waited{fd, POLLIN, 0};
  return ::poll(&waited, 1, 0) > 0;
}

int give_up(const Error& error, int exit_code) {
  complain(error.message);
  return exit_code;
}

}  // namespace

int run_own(const ClientCommand& command) {
  auto targets = WatchTargets::find(command.files, "name what to run: cweb run FILE...");
  if (!targets) return give_up(targets.error(), usage_error);
  const auto interrupts = Interrupts::take_over();
  if (!interrupts) return give_up(interrupts.error(), 1);
  auto server = OwnServer::start({.port = command.port, .further = command.server_arguments});
  if (interrupts->came()) return 0;
  if (!server) return give_up(server.error(), 1);
  print((*server)->shown_url() + " is served by this terminal until Ctrl-C" +
        ((*server)->usual_port_is_taken() ? "; port 8080 is taken by another\n" : "\n"));
  flush_output();

  // Whatever certificate it was told to have, it is our own.
  const auto client = Client::create({.url = (*server)->url(), .insecure = true});
  if (!client) return give_up(client.error(), 1);
  const int exit_code = run_watch(**client, std::move(*targets), *interrupts, {.end_fd = (*server)->end_fd()});
  const bool has_ended = is_readable((*server)->end_fd());
  if (has_ended && !interrupts->came()) complain("the server has ended: " + (*server)->last_words());
  interrupts->clear();
  (*server)->stop(interrupts->fd());
  return has_ended && !interrupts->came() ? 1 : exit_code;
}

}  // namespace cweb::cli
