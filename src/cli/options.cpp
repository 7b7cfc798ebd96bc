#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "cli/usage.h"

namespace cweb::cli {
namespace {

constexpr int usage_error = 2;
/// By -DCWEB_PRODUCTION=ON.
constexpr bool built_for_production = CWEB_PRODUCTION_DEFAULT;
constexpr const char* environment_is_neither = "CWEB_ENV is either production or development";
constexpr int max_threads = 64;
constexpr size_t max_body_limit = size_t{1} << 30;
constexpr size_t max_connections_limit = 1'000'000;

int processors() {
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, max_threads);
}

void add_access_log_options(CLI::App& serve, ServeOptions& options) {
  serve.add_option("--access-log", options.access_log, "write a line for each answer there; - is standard output")
      ->envname("CWEB_ACCESS_LOG")
      ->type_name("FILE");
  serve
      .add_option_function<std::string>(
          "--access-log-format",
          [&options](const std::string& format) { options.access_log_is_json = format == "json"; },
          "common (as Apache and nginx write it) or json")
      ->envname("CWEB_ACCESS_LOG_FORMAT")
      ->check(CLI::IsMember({"common", "json"}))
      ->default_str("common");
}

void add_websocket_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("--ws-max-message", options.ws_max_message_bytes,
                  "longest message that a WebSocket's peer may send, in bytes, unpacked")
      ->envname("CWEB_WS_MAX_MESSAGE")
      ->check(CLI::Range(size_t{1}, max_body_limit))
      ->capture_default_str();
  serve
      .add_option("--ws-ping-seconds", options.ws_ping_seconds,
                  "silence after which a WebSocket's peer is sent a ping; after as much again the socket is closed. A "
                  "stream of /mgnt/events is pinged as often, and every 15 seconds at least")
      ->envname("CWEB_WS_PING_SECONDS")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
}

void add_module_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("--modules", options.modules_dir,
                  "directory where what is deployed is kept and brought back from at the next start; files that are "
                  "put or edited there by hand are picked up, but for production. Default: nothing is kept")
      ->envname("CWEB_MODULES")
      ->check([](const std::string& dir) { return dir.empty() ? "the name of the modules' directory is empty" : ""; })
      ->type_name("DIR");
  serve
      .add_option("--module-memory", options.module_memory_bytes,
                  "bytes that a module may have allocated at a time: beyond it its malloc returns NULL")
      ->envname("CWEB_MODULE_MEMORY")
      ->check(CLI::Range(size_t{1} << 16, size_t{4} << 30))
      ->capture_default_str();
  serve
      .add_option("--deadline-ms", options.deadline_ms,
                  "milliseconds that a call into a module may take: then it is ended and its client gets a 504. A "
                  "module may ask for another time in its config")
      ->envname("CWEB_DEADLINE_MS")
      ->check(CLI::Range(1, 86'400'000))
      ->capture_default_str();
  serve
      .add_option("--fault-limit", options.fault_limit,
                  "faults of one module within 10 s, beyond which it answers 503 until it is deployed or restarted; 0 "
                  "for no limit")
      ->envname("CWEB_FAULT_LIMIT")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
}

/// Of what all modules share.
void add_shared_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("--cache-memory", options.cache_bytes,
                  "bytes that what modules put into the cache may take; beyond them what was used least recently goes")
      ->envname("CWEB_CACHE_MEMORY")
      ->check(CLI::Range(size_t{1} << 16, size_t{1} << 40))
      ->capture_default_str();
  serve
      .add_option("--database", options.database_file,
                  "SQLite file of the database that modules share, made if need be. Default: in memory")
      ->envname("CWEB_DATABASE")
      ->check([](const std::string& file) { return file.empty() ? "the name of the database's file is empty" : ""; })
      ->type_name("FILE");
}

void add_access_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_flag("--production", options.production,
                "ask everybody for the admin key, also on this machine, and do not start without one of at least 16 "
                "characters, nor without TLS (--cert) or --plain-http; listen on all addresses, and log as JSON. "
                "CWEB_ENV=production does the same")
      ->envname("CWEB_PRODUCTION");
  serve
      .add_option("--admin-key-file", options.admin_key_file,
                  "file that holds the key for /mgnt; or set CWEB_ADMIN_KEY to the key itself")
      ->envname("CWEB_ADMIN_KEY_FILE")
      ->check([](const std::string& file) { return file.empty() ? "the name of the key's file is empty" : ""; })
      ->type_name("FILE");
  serve
      .add_option(
          "--admin-host", options.admin_hosts,
          "name under which /mgnt may be reached besides localhost; may be given several times, or as HOST,HOST")
      ->envname("CWEB_ADMIN_HOST")
      ->type_name("HOST")
      ->delimiter(',');
}

void add_tls_options(CLI::App& serve, ServeOptions& options) {
  const auto is_named = [](const std::string& file) { return file.empty() ? "the name of the file is empty" : ""; };
  serve
      .add_option("--cert", options.certificate,
                  "serve HTTPS with this certificate (PEM, the signers' certificates behind it); production takes "
                  "server.crt and server.key of the working directory when nothing is named")
      ->envname("CWEB_CERT")
      ->check(is_named)
      ->type_name("FILE");
  serve.add_option("--key", options.key, "the certificate's private key (PEM, not encrypted)")
      ->envname("CWEB_KEY")
      ->check(is_named)
      ->type_name("FILE");
  serve
      .add_flag("--plain-http", options.plain_http,
                "serve plain HTTP in production: for a server behind a proxy that ends TLS")
      ->envname("CWEB_PLAIN_HTTP");
  serve
      .add_option("--redirect-http", options.redirect_http,
                  "listen on this port as well, for plain HTTP, and answer everything there with 308 to HTTPS")
      ->envname("CWEB_REDIRECT_HTTP")
      ->check(CLI::Range(0, 65'535))
      ->type_name("PORT");
  serve
      .add_option("--hsts", options.hsts_seconds,
                  "tell browsers to come by HTTPS alone for so long (Strict-Transport-Security); 0 makes them forget")
      ->envname("CWEB_HSTS")
      ->check(CLI::Range(0U, 4'000'000'000U))
      ->type_name("SECONDS");
}

/// What is wrong with these options together; empty when nothing is.
std::string tls_fault(const ServeOptions& options) {
  if (options.certificate.empty() != options.key.empty()) {
    return "--cert and --key belong together: a certificate and its private key";
  }
  if (options.plain_http && !options.certificate.empty()) {
    return "--plain-http and --cert exclude each other: the port speaks either HTTP or HTTPS";
  }
  return {};
}

/// CWEB_ENV is what deployments set. Null when it says something that is neither: "prod" must not mean development.
std::optional<bool> production_by_environment() {
  const char* const value = std::getenv("CWEB_ENV");
  const std::string_view name = value == nullptr ? "" : value;
  if (name == "production") return true;
  if (name == "development") return false;
  if (name.empty()) return built_for_production;
  return std::nullopt;
}

void add_key_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("--read-key-file", options.read_key_file,
                  "file that holds a second key, which may list, look at faults and read metrics, and nothing else; or "
                  "set CWEB_READ_KEY to the key itself")
      ->envname("CWEB_READ_KEY_FILE")
      ->check([](const std::string& file) { return file.empty() ? "the name of the key's file is empty" : ""; })
      ->type_name("FILE");
  serve
      .add_flag("--make-key", options.make_key,
                "when no admin key is given, make one for this run and print it to the log; for containers")
      ->envname("CWEB_MAKE_KEY");
  serve
      .add_flag("--trust-gateway", options.trust_gateway,
                "for a container whose port is published to its own machine alone: without a key, who comes from the "
                "default gateway's address is let in like who comes from this machine. Not in production")
      ->envname("CWEB_TRUST_GATEWAY");
}

/// What is an option only once everything has been said.
struct Said {
  bool development = false;
  std::string log_format;
};

void add_environment_options(CLI::App& serve, Said& said) {
  serve
      .add_flag("--development", said.development,
                "not production, whatever the environment says and however this binary was built")
      ->excludes("--production");
  serve.add_option("--log-format", said.log_format, "text, or json: an object a line; default: json in production")
      ->envname("CWEB_LOG_FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
}

void add_serve_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("--host", options.host,
                  "address to listen on; * is every address of this machine, and the default in production")
      ->envname("CWEB_HOST")
      ->capture_default_str();
  serve.add_option("--port", options.port, "port to listen on; 0 picks a free one")
      ->envname("CWEB_PORT")
      ->check(CLI::Range(0, 65'535))
      ->capture_default_str();
  serve.add_option("--threads", options.threads, "threads that serve requests; default: one for each processor")
      ->envname("CWEB_THREADS")
      ->check(CLI::Range(1, max_threads));
  serve.add_option("--ready-fd", options.ready_fd, "write one JSON line with host, port and pid there when serving")
      ->envname("CWEB_READY_FD")
      ->check(CLI::Range(0, 1 << 20));
  serve.add_option("--max-body", options.max_body_bytes, "longest request body for modules, in bytes")
      ->envname("CWEB_MAX_BODY")
      ->check(CLI::Range(size_t{0}, max_body_limit))
      ->capture_default_str();
  serve
      .add_option("--max-connections", options.max_connections,
                  "connections at a time, beyond which new ones get a 503; default: four fifths of the descriptors "
                  "that the process may have, at most 32768")
      ->envname("CWEB_MAX_CONNECTIONS")
      ->check(CLI::Range(size_t{1}, max_connections_limit));
  serve
      .add_flag("--compile-in-process", options.compile_in_process,
                "compile in this process instead of in helper processes: no bound on what a source can do to it")
      ->envname("CWEB_COMPILE_IN_PROCESS");
  serve
      .add_flag("--no-supervisor", options.no_supervisor,
                "run in one process, for debuggers: when it dies, nobody starts another with the same modules")
      ->envname("CWEB_NO_SUPERVISOR");
  // The separator makes the environment variable a list, as in PATH.
  serve
      .add_option("--include", options.include_dirs,
                  "directory whose headers modules may include; may be given several times, or as DIR:DIR")
      ->envname("CWEB_INCLUDE")
      ->type_name("DIR")
      ->delimiter(':');
  serve
      .add_option(
          "--link", options.libraries,
          "library whose functions modules may use, behind those that are offered anyway: a name that the dynamic "
          "loader looks for (libfoo.so.1), or a path; may be given several times, or as FILE:FILE")
      ->envname("CWEB_LINK")
      ->type_name("FILE")
      ->delimiter(':');
  add_module_options(serve, options);
  add_shared_options(serve, options);
  add_websocket_options(serve, options);
  add_access_log_options(serve, options);
  add_access_options(serve, options);
  add_tls_options(serve, options);
  add_key_options(serve, options);
}

void add_health_options(CLI::App& health, HealthOptions& options) {
  health.add_option("--host", options.host, "address that the server listens on; default: this machine's own")
      ->envname("CWEB_HOST");
  health.add_option("--port", options.port, "port that the server listens on")
      ->envname("CWEB_PORT")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str();
}

/// The sentence that says why not, when what was said does not go together.
std::optional<std::string> settle_environment(const CLI::App& serve, const Said& said, ServeOptions& options) {
  const auto by_environment = production_by_environment();
  if (!by_environment) return environment_is_neither;
  options.production = !said.development && (options.production || *by_environment);
  if (options.production && options.trust_gateway) {
    return "--trust-gateway is for development: in production everybody needs the key";
  }
  options.log_is_json = said.log_format.empty() ? options.production : said.log_format == "json";
  if (options.production && serve.get_option("--host")->count() == 0) options.host = all_addresses;
  return std::nullopt;
}

}  // namespace

/// The number of arguments up to the "--" of `cweb run`, whose server gets what stands behind it.
int arguments_before_server_s(int argc, const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != "run") return argc;
  return static_cast<int>(std::find(argv, argv + argc, std::string_view("--")) - argv);
}

CommandLine parse_command_line(int argc, const char* const* argv) {
  ServeOptions options;
  options.threads = processors();
  CLI::App app("cweb is a web server with a C compiler inside: post C source, and its routes are live.", "cweb");
  bool print_version = false;
  app.add_flag("--version", print_version, "print the versions of cweb and its libraries, and what it compiles for");
  app.require_subcommand(0, 1);  // behind a command nothing is one: a module may be called "list"
  app.footer(usage_examples);
  CLI::App* serve = app.add_subcommand("serve", "serve modules over HTTP");
  serve->footer(serve_examples);
  add_serve_options(*serve, options);
  Said said;
  add_environment_options(*serve, said);
  HealthOptions health_options;
  CLI::App* health = app.add_subcommand("health", "ask the server of this machine whether it serves: exit code 0 or 1");
  health->footer(health_examples);
  add_health_options(*health, health_options);
  // Their variables are read when they are asked for: a wrong one is no other command's affair.
  serve->parse_complete_callback([] {});
  health->parse_complete_callback([] {});
  ClientCommand client;
  add_client_commands(app, client);
  const std::vector<const char*> ordered = command_first(argc, argv);
  const int own_arguments = arguments_before_server_s(argc, ordered.data());
  if (own_arguments < argc) client.server_arguments = {ordered.begin() + own_arguments + 1, ordered.end()};
  try {
    if (const auto fault = empty_option_sentence(app, own_arguments, ordered.data())) {
      return PrintAndExit{"cweb: " + *fault + "\n", usage_error};
    }
    app.parse(own_arguments, ordered.data());
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = asked_command(app);
    return PrintAndExit{&asked == &app ? app.help() : asked.help(app.get_name()), 0};
  } catch (const CLI::ParseError& error) {
    return PrintAndExit{"cweb: " + usage_sentence(app, argc, ordered.data(), error) + "\n", usage_error};
  }
  if (print_version) return PrintVersion{};
  if (health->parsed()) {
    health_options.production = production_by_environment().value_or(false);
    return health_options;
  }
  if (app.get_subcommands().empty()) return PrintAndExit{app.help(), usage_error};
  if (!serve->parsed()) return client;
  if (const auto problem = settle_environment(*serve, said, options)) {
    return PrintAndExit{"cweb: " + *problem + "\n", usage_error};
  }
  if (const std::string fault = tls_fault(options); !fault.empty()) {
    return PrintAndExit{"cweb: " + fault + "\n", usage_error};
  }
  return options;
}

std::optional<int> compile_helper_fd(int argc, const char* const* argv) {
  if (argc != 4 || std::string_view(argv[1]) != "compile-helper" || std::string_view(argv[2]) != "--fd") {
    return std::nullopt;
  }
  const std::string_view number = argv[3];
  int fd = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
  if (error != std::errc() || end != number.data() + number.size() || fd < 0) return std::nullopt;
  return fd;
}

std::string url_of(const std::string& host, uint16_t port, bool https) {
  std::string name = host;
  if (host == "0.0.0.0") name = "127.0.0.1";
  // Both families; and what leads here from outside of a container has this name as well.
  if (host == "::" || host == all_addresses) name = "localhost";
  if (host == "::1") name = "[::1]";
  if (name.find(':') != std::string::npos && !name.starts_with('[')) name = "[" + name + "]";
  return (https ? "https://" : "http://") + name + ":" + std::to_string(port);
}

}  // namespace cweb::cli
