#include "certificates.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/error.h"

namespace cweb::testing_support {
namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<EVP_PKEY> make_key(CertificateWish::Key kind) {
  if (kind == CertificateWish::Key::ec_p256) return Owned<EVP_PKEY>(EVP_EC_gen("P-256"));
  const unsigned bits = kind == CertificateWish::Key::rsa_1024 ? 1024 : 2048;
  return Owned<EVP_PKEY>(EVP_RSA_gen(bits));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(length)};
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  CWEB_ASSERT(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

CertificatePair make_certificate(const CertificateWish& wish) {
  constexpr long day_seconds = 86'400;
  const Owned<EVP_PKEY> key = make_key(wish.key);
  const Owned<X509> certificate(X509_new());
  X509* const made = certificate.get();
  CWEB_ASSERT(key && made != nullptr);
  uint32_t serial = 0;
  CWEB_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), uint64_t{serial} + 1);
  X509_gmtime_adj(X509_getm_notBefore(made), wish.begins_in_days * day_seconds);
  X509_gmtime_adj(X509_getm_notAfter(made), wish.ends_in_days * day_seconds);
  X509_NAME* const name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_set_pubkey(made, key.get());
  add_extension(made, NID_subject_alt_name, "DNS:" + wish.common_name + ",DNS:localhost,IP:127.0.0.1");
  CWEB_ASSERT(X509_sign(made, key.get(), EVP_sha256()) > 0);

  const Owned<BIO> certificate_text(BIO_new(BIO_s_mem()));
  const Owned<BIO> key_text(BIO_new(BIO_s_mem()));
  const EVP_CIPHER* const cipher = wish.passphrase.empty() ? nullptr : EVP_aes_256_cbc();
  CWEB_ASSERT(PEM_write_bio_X509(certificate_text.get(), made) == 1);
  CWEB_ASSERT(PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), cipher,
                                            wish.passphrase.empty() ? nullptr : wish.passphrase.c_str(),
                                            static_cast<int>(wish.passphrase.size()), nullptr, nullptr) == 1);
  return {.certificate = text_of(certificate_text.get()), .key = text_of(key_text.get())};
}

TemporaryDirectory::TemporaryDirectory()
    : directory_((std::filesystem::temp_directory_path() / "cweb_tls_XXXXXX").string()) {
  CWEB_ASSERT(mkdtemp(directory_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& text) const {
  std::string where = path(name);
  const int fd = open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CWEB_ASSERT(fd >= 0);
  CWEB_ASSERT(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(fd);
  return where;
}

std::string TemporaryDirectory::replace(const std::string& name, const std::string& text) const {
  const std::string other = write(name + ".new", text);
  CWEB_ASSERT(std::rename(other.c_str(), path(name).c_str()) == 0);
  return path(name);
}

}  // namespace cweb::testing_support
