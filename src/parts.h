// How main makes some of the parts from the options: plain functions, called once each, at the start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/options.h"
#include "jit/compiler.h"
#include "mgnt/access.h"
#include "mgnt/deployer.h"
#include "mgnt/directory_sync.h"
#include "mgnt/directory_watch.h"
#include "mgnt/event_log.h"
#include "mgnt/module_keeper.h"
#include "mgnt/output_printer.h"
#include "net/tls_credentials.h"
#include "net/tls_watch.h"
#include "server/access_log.h"
#include "server/server.h"
#include "server/server_metrics.h"
#include "supervisor/child.h"
#include "supervisor/deploy_journal.h"

namespace cweb {

/// The sentence on standard error, or in the log in production. The answer is the exit code.
int give_up(const std::string& message, int exit_code = 1);

/// What this process has from the parent that looks after it; empty without one.
using Supervised = std::optional<supervisor::Child>;

/// The keys of /mgnt.
struct Keys {
  std::optional<std::string> admin, read;
  bool admin_was_made = false;  ///< because none was given and --make-key says so
};

/// Takes them out of the environment or their files, or makes one. No other thread may run.
Expected<Keys> take_keys(const cli::ServeOptions& options);

/// Prints a key that was made, which nobody would know otherwise, with a line that uses it.
void say_made_key(const cli::ServeOptions& options, uint16_t port, const std::string& key);

/// Takes the keys out of the environment, if they are there. No other thread may run.
Expected<std::unique_ptr<mgnt::Access>> set_up_access(const cli::ServeOptions& options, Supervised& supervised);

Expected<std::unique_ptr<jit::Compiler>> start_compiler(const cli::ServeOptions& options, const Supervised& supervised);

/// Null without --modules. Takes the directory for itself until the end of the process.
Expected<std::unique_ptr<mgnt::ModuleKeeper>> open_modules(const cli::ServeOptions& options);

/// Brings back what the process before had, and what is in the directory of modules. No request is under way. Null
/// without such a directory.
std::unique_ptr<mgnt::DirectorySync> bring_back(mgnt::Deployer& deployer, runtime::Registry& registry,
                                                mgnt::FaultDesk& faults, const Supervised& supervised);

/// Null in production, without a directory, and when it cannot be watched, which the log says.
std::unique_ptr<mgnt::DirectoryWatch> watch_directory(const cli::ServeOptions& options,
                                                      const std::unique_ptr<mgnt::DirectorySync>& directory);

/// Null without a parent: then there is nobody to read it.
Expected<std::unique_ptr<supervisor::DeployJournal>> open_journal(Supervised& supervised);

/// Null when none is asked for.
Expected<std::unique_ptr<server::AccessLog>> open_access_log(const cli::ServeOptions& options,
                                                             server::ServerMetrics& metrics);

size_t max_connections(const cli::ServeOptions& options);

/// The certificate that the server is to speak HTTPS with; null: it speaks plain HTTP. Fails when production would go
/// without TLS and nobody has said that it may, or when the certificate cannot be used.
Expected<std::unique_ptr<net::TlsCredentials>> set_up_tls(const cli::ServeOptions& options);

/// Watches for changes of the certificate's files; null without TLS.
Expected<std::unique_ptr<net::TlsWatch>> watch_certificate(net::TlsCredentials* tls);

/// The sockets that lead to HTTPS, one for each loop; none when none are asked for.
Expected<net::Listeners> listen_for_redirects(const cli::ServeOptions& options);
/// The same, of the parent where there is one.
Expected<net::Listeners> take_redirect_listeners(const cli::ServeOptions& options, Supervised& supervised);

/// From here on what modules print is in `events`, and shown on standard error.
std::unique_ptr<mgnt::OutputPrinter> capture_output(mgnt::EventLog& events);

server::ServerOptions server_options(const cli::ServeOptions& options, Supervised& supervised,
                                     const net::TlsCredentials* tls, net::Listeners redirects);

/// Tells whoever started the server that requests are answered now.
void say_ready(const cli::ServeOptions& options, const server::Server& server, bool asks_key, Supervised& supervised);

}  // namespace cweb
