#include "parts.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/log.h"
#include "cli/certificate_files.h"
#include "cli/process.h"
#include "cli/secrets.h"

namespace cweb {

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

Expected<std::unique_ptr<mgnt::Access>> set_up_access(const cli::ServeOptions& options, Supervised& supervised) {
  using Key = Expected<std::optional<std::string>>;
  Key key = supervised ? Key(supervised->take_admin_key()) : cli::take_admin_key(options.admin_key_file);
  if (!key) return std::unexpected(key.error());
  auto access =
      mgnt::Access::create({.production = options.production, .admin_key = *key, .admin_hosts = options.admin_hosts});
  cli::forget(*key);
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
  std::fprintf(stderr, "cweb is serving on %s - try: curl%s%s --data-binary @modules/counter.c %s/mgnt\n", url.c_str(),
               trust_option(options, server).c_str(), asks_key ? " -H \"Authorization: Bearer $CWEB_ADMIN_KEY\"" : "",
               url.c_str());
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
