// A certificate and its private key, as files in PEM form have them: read, checked against each other, and refused with
// a sentence that names the file. Nothing here is kept open, and the text of the key is wiped once it is parsed.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace cweb::net {

/// Where the two are. The certificate's file may go on with the certificates of those who signed it.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

struct FreeCertificate {
  void operator()(X509* certificate) const;
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const;
};

/// Both, parsed, and sure to belong together.
struct Certificate {
  std::unique_ptr<X509, FreeCertificate> leaf;
  std::vector<std::unique_ptr<X509, FreeCertificate>> chain;  ///< behind it in the file, in that order
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  std::string fingerprint;            ///< SHA-256 over both files: equal when nothing has changed
  int64_t not_after = 0;              ///< seconds since 1970
  std::vector<std::string> warnings;  ///< what is wrong with it and no reason not to serve: expired, readable by all
};

/// `library` is whose algorithms the key will be used with; it outlives the certificate. Never asks for a passphrase.
Expected<Certificate> read_certificate(OSSL_LIB_CTX* library, const CertificateFiles& files);

/// What OpenSSL has to say about the calling thread's last failure, in its own words; empties its list of failures.
std::string openssl_reason();

}  // namespace cweb::net
