// Certificates and keys for the tests, made when they are needed: none is kept anywhere.
#pragma once

#include <string>

namespace cweb::testing_support {

struct CertificateWish {
  std::string common_name = "localhost";
  enum class Key { ec_p256, rsa_2048, rsa_1024 };
  Key key = Key::ec_p256;
  int begins_in_days = -1;
  int ends_in_days = 30;
  std::string passphrase = {};  ///< of the key's file; empty: it is not encrypted
};

/// Both as PEM.
struct CertificatePair {
  std::string certificate;
  std::string key;
};

/// Signed by itself, for `common_name`, localhost and 127.0.0.1.
CertificatePair make_certificate(const CertificateWish& wish = {});

/// A directory that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  const std::string& path() const { return directory_; }
  /// Writes a file that only its owner may read, in place of what is there; its path.
  std::string write(const std::string& name, const std::string& text) const;
  /// The same by way of another name and a rename, as careful programs do it.
  std::string replace(const std::string& name, const std::string& text) const;

 private:
  std::string directory_;
};

}  // namespace cweb::testing_support
