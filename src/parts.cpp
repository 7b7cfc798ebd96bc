#include "parts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cli/certificate_files.h"
#include "cli/process.h"
#include "cli/secrets.h"
#include "net/gateway.h"

namespace cweb {

int give_up(const std::string& message, int exit_code) {
  log::say(spdlog::level::err, "cweb: " + message);
  return exit_code;
}

namespace {

jit::CompilerOptions compiler_options_of(const cli::ServeOptions& options) {
  jit::CompilerOptions compiler_options;
  compiler_options.helpers = std::max(compiler_options.helpers, options.threads);
  compiler_options.include_dirs = options.include_dirs;
  return compiler_options;
}

}  // namespace

Expected<std::unique_ptr<jit::Compiler>> start_compiler(const cli::ServeOptions& options,
                                                        const Supervised& supervised) {
  jit::CompilerOptions compiler_options = compiler_options_of(options);
  // What was deployed is served again at once; what is deployed next may wait.
  compiler_options.wait_until_warm = !supervised || !supervised->is_restart();
  return options.compile_in_process ? jit::compile_in_process(compiler_options)
                                    : jit::start_compile_helpers(compiler_options);
}

Expected<std::unique_ptr<server::AccessLog>> open_access_log(const cli::ServeOptions& options,
                                                             server::ServerMetrics& metrics) {
  using server::AccessLogFormat;
  if (options.access_log.empty()) return nullptr;
  const AccessLogFormat format = options.access_log_is_json ? AccessLogFormat::json : AccessLogFormat::common;
  return server::AccessLog::open(options.access_log, format, metrics);
}

size_t max_connections(const cli::ServeOptions& options) {
  return options.max_connections > 0 ? options.max_connections : cli::connections_for_descriptors();
}

Expected<Keys> take_keys(const cli::ServeOptions& options) {
  Keys keys;
  auto admin = cli::take_admin_key(options.admin_key_file);
  if (!admin) return std::unexpected(admin.error());
  auto read = cli::take_read_key(options.read_key_file);
  if (!read) return std::unexpected(read.error());
  keys.admin = std::move(*admin);
  keys.read = std::move(*read);
  keys.admin_was_made = options.make_key && !options.trust_gateway && !keys.admin;
  if (keys.admin_was_made) keys.admin = cli::make_key();
  return keys;
}

void say_made_key(const cli::ServeOptions& options, uint16_t port, const std::string& key) {
  const auto files = cli::certificate_files(options);
  const bool is_https = files && *files;
  const std::string url = cli::url_of(options.host, port, is_https);
  log::say(spdlog::level::warn,
           "cweb: no key was given, so this one was made, for as long as this server runs: " + key);
  log::say(spdlog::level::warn,
           "cweb: deploy with it: curl" + (is_https ? " --cacert " + (*files)->certificate : std::string()) +
               " -H \"Authorization: Bearer " + key + "\" --data-binary @modules/counter.c " + url + "/mgnt");
}

namespace {

/// Where the default gateway is the machine outside of the container.
std::vector<net::PeerAddress> trusted_gateways(const cli::ServeOptions& options) {
  if (!options.trust_gateway) return {};
  std::vector<net::PeerAddress> gateways = net::default_gateways();
  std::string names;
  for (const net::PeerAddress& gateway : gateways) names += (names.empty() ? "" : ", ") + gateway.text();
  if (gateways.empty()) {
    log::warn("--trust-gateway: there is no default gateway here, so /mgnt answers this machine alone");
  } else {
    log::warn("whoever comes from {} may deploy without a key: publish this port to the machine itself alone", names);
  }
  return gateways;
}

}  // namespace

Expected<std::unique_ptr<mgnt::Access>> set_up_access(const cli::ServeOptions& options, Supervised& supervised) {
  Keys keys;
  if (supervised) {
    keys = {.admin = supervised->take_admin_key(),
            .read = supervised->take_read_key(),
            .admin_was_made = supervised->key_was_made()};
  } else {
    auto taken = take_keys(options);
    if (!taken) return std::unexpected(taken.error());
    keys = std::move(*taken);
    if (keys.admin_was_made) say_made_key(options, options.port, *keys.admin);
  }
  auto access = mgnt::Access::create({.production = options.production,
                                      .admin_key = keys.admin,
                                      .key_was_made = keys.admin_was_made,
                                      .read_key = keys.read,
                                      .trusted_gateways = trusted_gateways(options),
                                      .admin_hosts = options.admin_hosts});
  cli::forget(keys.admin);
  cli::forget(keys.read);
  return access;
}

Expected<std::unique_ptr<supervisor::DeployJournal>> open_journal(Supervised& supervised) {
  if (!supervised) return nullptr;
  auto journal = supervisor::DeployJournal::open(supervised->take_journals());
  if (!journal || supervised->died_in().empty()) return journal;
  (*journal)->died_in(supervised->died_in());
  supervised->say_noted();
  return journal;
}

Expected<std::unique_ptr<mgnt::ModuleKeeper>> open_modules(const cli::ServeOptions& options) {
  if (options.modules_dir.empty()) return nullptr;
  return mgnt::ModuleKeeper::open(options.modules_dir, jit::compiler_fingerprint(compiler_options_of(options)));
}

std::unique_ptr<mgnt::DirectorySync> bring_back(mgnt::Deployer& deployer, runtime::Registry& registry,
                                                mgnt::FaultDesk& faults, const Supervised& supervised) {
  const bool failed_before = supervised && supervised->follows_failed_start();
  const int crash_note = supervised ? supervised->crash_note_fd() : -1;
  if (supervised) deployer.restore({.one_at_a_time = failed_before, .crash_note = crash_note});
  if (deployer.keeper() == nullptr) return nullptr;
  auto directory = std::make_unique<mgnt::DirectorySync>(deployer, registry, faults);
  directory->start({.one_at_a_time = failed_before,
                    .crash_note = crash_note,
                    .left_out = failed_before ? supervised->died_in() : std::string()});
  return directory;
}

std::unique_ptr<mgnt::DirectoryWatch> watch_directory(const cli::ServeOptions& options,
                                                      const std::unique_ptr<mgnt::DirectorySync>& directory) {
  if (options.production || !directory) return nullptr;
  auto watch = mgnt::DirectoryWatch::start(options.modules_dir, *directory);
  if (watch) return std::move(*watch);
  log::warn("{}", watch.error().message);
  return nullptr;
}

Expected<std::unique_ptr<net::TlsCredentials>> set_up_tls(const cli::ServeOptions& options) {
  auto files = cli::certificate_files(options);
  if (!files) return std::unexpected(files.error());
  if (!*files) return nullptr;
  auto credentials = net::TlsCredentials::load({.certificate = (*files)->certificate, .key = (*files)->key});
  if (!credentials) return credentials;
  for (const std::string& warning : (*credentials)->current()->warnings()) log::warn("{}", warning);
  return credentials;
}

Expected<std::unique_ptr<net::TlsWatch>> watch_certificate(net::TlsCredentials* tls) {
  if (tls == nullptr) return nullptr;
  return net::TlsWatch::start(*tls);
}

Expected<net::Listeners> listen_for_redirects(const cli::ServeOptions& options) {
  if (!options.redirect_http) return net::Listeners{};
  return net::listen_on(options.host, *options.redirect_http, static_cast<size_t>(options.threads));
}

Expected<net::Listeners> take_redirect_listeners(const cli::ServeOptions& options, Supervised& supervised) {
  if (supervised) return supervised->take_redirect_listeners();
  return listen_for_redirects(options);
}

std::unique_ptr<mgnt::OutputPrinter> capture_output(mgnt::EventLog& events) {
  runtime::set_output_sink(&events);
  return std::make_unique<mgnt::OutputPrinter>(events, STDERR_FILENO);
}

server::ServerOptions server_options(const cli::ServeOptions& options, Supervised& supervised,
                                     const net::TlsCredentials* tls, net::Listeners redirects) {
  return {.host = options.host,
          .port = options.port,
          .threads = options.threads,
          .listeners = supervised ? supervised->take_listeners() : net::Listeners{},
          .max_connections = max_connections(options),
          .max_body_bytes = options.max_body_bytes,
          .asks_management_for_root = !options.production,
          .websockets = {.max_message_bytes = options.ws_max_message_bytes,
                         .ping_ms = options.ws_ping_seconds * int64_t{1000}},
          .tls = tls,
          .redirect_listeners = std::move(redirects),
          .hsts_seconds = options.hsts_seconds};
}

namespace {

/// What makes curl take a certificate that nobody else has signed.
std::string trust_option(const cli::ServeOptions& options, const server::Server& server) {
  const auto files = cli::certificate_files(options);
  if (!server.speaks_https() || !files || !*files) return {};
  return " --cacert " + (*files)->certificate;
}

}  // namespace

void say_ready(const cli::ServeOptions& options, const server::Server& server, bool asks_key, Supervised& supervised) {
  const bool is_restart = supervised && supervised->is_restart();
  const auto supervisor = supervised ? std::optional(supervised->supervisor()) : std::nullopt;
  const std::string url = cli::url_of(server.host(), server.port(), server.speaks_https());
  log::say(spdlog::level::info,
           fmt::format("cweb is serving on {0} - try: curl{1}{2} --data-binary @modules/counter.c {0}/mgnt", url,
                       trust_option(options, server), asks_key ? " -H \"Authorization: Bearer $CWEB_ADMIN_KEY\"" : ""));
  if (options.ready_fd >= 0 && !is_restart) {
    const auto written = cli::write_ready_line(options.ready_fd, {.host = server.host(),
                                                                  .port = server.port(),
                                                                  .is_https = server.speaks_https(),
                                                                  .redirect_port = server.redirect_port(),
                                                                  .supervisor = supervisor});
    if (!written) log::warn("{}", written.error().message);
  }
  if (supervised) supervised->say_ready();
}

}  // namespace cweb
