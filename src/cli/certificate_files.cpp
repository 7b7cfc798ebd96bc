#include "cli/certificate_files.h"

#include <unistd.h>

namespace cweb::cli {
namespace {

constexpr const char* usual_certificate = "server.crt";
constexpr const char* usual_key = "server.key";

constexpr const char* production_needs_tls =
    "production needs TLS: name a certificate and its key with --cert and --key, or put them into the working "
    "directory as server.crt and server.key. To make a pair for a try: openssl req -x509 -newkey ec -pkeyopt "
    "ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
    "-keyout "
    "server.key -out server.crt. Behind a proxy that ends TLS: --plain-http";

bool exists(const char* file) {
  return access(file, F_OK) == 0;
}

}  // namespace

Expected<std::optional<CertificateNames>> certificate_files(const ServeOptions& options) {
  std::optional<CertificateNames> names;
  if (!options.certificate.empty()) {
    names = CertificateNames{options.certificate, options.key};
  } else if (options.production && !options.plain_http) {
    // With one of the two there, somebody has meant to: the sentence about the missing one comes from reading it.
    if (!exists(usual_certificate) && !exists(usual_key)) return fail(production_needs_tls);
    names = CertificateNames{usual_certificate, usual_key};
  }
  if (names) return names;
  if (options.redirect_http) return fail("--redirect-http leads to HTTPS, which needs --cert and --key");
  if (options.hsts_seconds) return fail("--hsts is for HTTPS alone, which needs --cert and --key");
  return names;
}

}  // namespace cweb::cli
