// The command line and its environment variables -> plain data. Parses only: starts nothing and opens nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/client_options.h"

namespace cweb::cli {

/// `cweb serve`. Each option can also be given as an environment variable, CWEB_PORT for --port; the command line wins.
/// The admin key is no option: a command line can be read by everybody on the machine (see secrets.h).
struct ServeOptions {
  std::string host = "127.0.0.1";  ///< all_addresses: on every address; the default in production
  uint16_t port = 8080;            ///< 0: the system picks one
  int threads = 0;                 ///< never 0 after parsing: the number of processors by default
  int ready_fd = -1;               ///< where the ready line is written; -1: nowhere
  size_t max_body_bytes = size_t{1} << 20;
  size_t ws_max_message_bytes = size_t{16} << 20;
  int ws_ping_seconds = 30;
  size_t max_connections = 0;  ///< 0: as many as the descriptors suggest
  bool compile_in_process = false;
  bool no_supervisor = false;  ///< no parent that starts another process when this one dies
  std::vector<std::string> include_dirs;
  std::vector<std::string> libraries;            ///< that modules are offered: names, or paths
  size_t cache_bytes = size_t{64} << 20;         ///< of what modules put into the cache
  std::string database_file;                     ///< of the modules' database; empty: in memory
  std::string modules_dir;                       ///< where modules are kept; empty: nowhere
  size_t module_memory_bytes = size_t{1} << 30;  ///< that a version of a module may have allocated
  int deadline_ms = 10'000;                      ///< of a call into a module
  unsigned fault_limit = 5;  ///< faults of a module in 10 s, beyond which it is quarantined; 0: never
  std::string access_log;    ///< file, "-" for standard output, or empty for none
  bool access_log_is_json = false;
  bool production = false;                ///< by --production, CWEB_PRODUCTION, CWEB_ENV=production or how it was built
  bool log_is_json = false;               ///< the server's own log; in production unless --log-format says otherwise
  std::string certificate;                ///< file; empty: none was named
  std::string key;                        ///< file; empty: none was named. Both or neither.
  bool plain_http = false;                ///< plain HTTP in production, behind a proxy that ends TLS
  std::optional<uint16_t> redirect_http;  ///< port of plain HTTP that leads to HTTPS; 0: the system picks one
  std::optional<uint32_t> hsts_seconds;   ///< of Strict-Transport-Security
  std::string admin_key_file;             ///< empty: none
  std::string read_key_file;              ///< empty: none
  bool make_key = false;                  ///< when no admin key is given, make one and print it
  bool trust_gateway = false;             ///< who comes from the default gateway's address counts as this machine
  std::vector<std::string> admin_hosts;   ///< as given; not checked
};

/// The host that stands for every address of the machine.
inline constexpr const char* all_addresses = "*";

/// Nothing is left to do but to print this and leave: help, the version, or what is wrong with the command line.
struct PrintAndExit {
  std::string text;
  int exit_code = 0;  ///< 0, or 2 for a usage error, which belongs on standard error
};

/// `cweb health`, which containers ask with.
struct HealthOptions {
  std::string host;  ///< that the server listens on; empty: as for all addresses
  uint16_t port = 8080;
  bool production = false;  ///< TLS is likely
};

/// `cweb --version`. What is told with it is known elsewhere: see version.h.
struct PrintVersion {};

using CommandLine = std::variant<ServeOptions, HealthOptions, ClientCommand, PrintVersion, PrintAndExit>;

CommandLine parse_command_line(int argc, const char* const* argv);

/// The socket of `cweb compile-helper --fd N`, how the server starts its compile helpers. Empty for every other command
/// line. Cheap: asked before anything else is done.
std::optional<int> compile_helper_fd(int argc, const char* const* argv);

/// "http://127.0.0.1:8080": where somebody on this machine reaches a server that listens on this host.
std::string url_of(const std::string& host, uint16_t port, bool https = false);

}  // namespace cweb::cli
