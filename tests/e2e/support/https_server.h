// A server that speaks HTTPS with a certificate of its own, made for the test.
#pragma once

#include <string>
#include <vector>

#include "certificates.h"
#include "server_process.h"

namespace cweb::e2e {

inline constexpr int tls12 = 0x0303;
inline constexpr int tls13 = 0x0304;

/// The files, and what is done to them. Made before the server and gone after it.
class CertificateFolder {
 public:
  explicit CertificateFolder(const testing_support::CertificateWish& wish = {}) { put(make_certificate(wish)); }

  void put(const testing_support::CertificatePair& pair) const {
    put_certificate(pair);
    put_key(pair);
  }
  void put_certificate(const testing_support::CertificatePair& pair) const {
    directory_.replace("server.crt", pair.certificate);
  }
  void put_key(const testing_support::CertificatePair& pair) const { directory_.replace("server.key", pair.key); }

  std::string certificate() const { return directory_.path("server.crt"); }
  std::string key() const { return directory_.path("server.key"); }
  const testing_support::TemporaryDirectory& directory() const { return directory_; }
  std::vector<std::string> options(std::vector<std::string> further = {}) const {
    further.insert(further.end(), {"--cert", certificate(), "--key", key()});
    return further;
  }

 private:
  testing_support::TemporaryDirectory directory_;
};

}  // namespace cweb::e2e
