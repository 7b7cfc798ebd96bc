// The certificate that new connections get, and its renewal: the files are read again, and what is in them is taken
// when it can be used. What cannot leaves everything as it was. Any thread.
#pragma once

#include <memory>
#include <mutex>

#include "base/error.h"
#include "net/tls_certificate.h"
#include "net/tls_context.h"

namespace cweb::net {

class TlsCredentials {
 public:
  /// Fails with a sentence that names the file and says what to do.
  static Expected<std::unique_ptr<TlsCredentials>> load(const CertificateFiles& files);

  const CertificateFiles& files() const { return files_; }
  /// For a new connection, which keeps it for life.
  std::shared_ptr<const TlsContext> current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  enum class Renewal {
    unchanged,  ///< the files are as they were
    renewed,    ///< new connections get what is in them now
  };
  /// Reads the files. One call at a time.
  Expected<Renewal> renew();

 private:
  TlsCredentials(CertificateFiles files, TlsLibrary library) : files_(std::move(files)), library_(std::move(library)) {}

  const CertificateFiles files_;
  const TlsLibrary library_;  // outlives every context
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> current_;  // guarded by mutex_
};

}  // namespace cweb::net
