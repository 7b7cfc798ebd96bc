#include "supervise.h"

#include <utility>

#include "cli/process.h"
#include "net/listener.h"
#include "parts.h"
#include "supervisor/service_manager.h"
#include "supervisor/supervisor.h"

namespace cweb {

int supervise(char** arguments, const cli::ServeOptions& options) {
  if (options.ready_fd >= 0) {
    if (const auto kept = cli::keep_private(options.ready_fd); !kept) return give_up(kept.error().message, 2);
  }
  auto service_manager = supervisor::ServiceManager::take_from_environment();
  auto keys = take_keys(options);
  if (!keys) return give_up(keys.error().message, 2);
  auto listeners = net::listen_on(options.host, options.port, static_cast<size_t>(options.threads));
  if (!listeners) return give_up(listeners.error().message);
  auto redirects = listen_for_redirects(options);
  if (!redirects) return give_up(redirects.error().message);
  if (keys->admin_was_made) say_made_key(options, listeners->port, *keys->admin);
  auto supervisor = supervisor::Supervisor::create({.arguments = arguments,
                                                    .listeners = std::move(*listeners),
                                                    .redirect_listeners = std::move(*redirects),
                                                    .admin_key = std::move(keys->admin),
                                                    .read_key = std::move(keys->read),
                                                    .key_was_made = keys->admin_was_made,
                                                    .ready_fd = options.ready_fd,
                                                    .service_manager = std::move(service_manager)});
  if (!supervisor) return give_up(supervisor.error().message);
  return (*supervisor)->run();
}

}  // namespace cweb
