#include "net/tls_credentials.h"

#include <utility>

namespace cweb::net {

Expected<std::unique_ptr<TlsCredentials>> TlsCredentials::load(const CertificateFiles& files) {
  std::unique_ptr<TlsCredentials> credentials(new TlsCredentials(files, make_tls_library()));
  auto context = TlsContext::create(credentials->library_.get(), files);
  if (!context) return std::unexpected(context.error());
  credentials->current_ = std::move(*context);
  return credentials;
}

Expected<TlsCredentials::Renewal> TlsCredentials::renew() {
  auto context = TlsContext::create(library_.get(), files_);
  if (!context) return std::unexpected(context.error());
  // The same text is no new certificate: whoever has a ticket may go on using it.
  if ((*context)->fingerprint() == current()->fingerprint()) return Renewal::unchanged;
  const std::lock_guard lock(mutex_);
  // The old one goes when the last connection does that has it; or here, after the lock is let go.
  std::swap(current_, *context);
  return Renewal::renewed;
}

}  // namespace cweb::net
