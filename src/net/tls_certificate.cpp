#include "net/tls_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <time.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"

namespace cweb::net {
namespace {

constexpr size_t most_file_bytes = size_t{1} << 20;

/// A file's text, wiped when it goes: it may be a private key.
class PemText {
 public:
  static Expected<PemText> read(const std::string& path, const char* what);
  PemText(PemText&& other) noexcept : text_(std::exchange(other.text_, {})), is_public_(other.is_public_) {}
  PemText& operator=(PemText&&) = delete;
  ~PemText() { OPENSSL_cleanse(text_.data(), text_.size()); }

  std::string_view text() const { return text_; }
  bool mentions(std::string_view label) const { return text_.find(label) != std::string::npos; }
  bool is_readable_by_all() const { return is_public_; }

 private:
  PemText(std::string text, bool is_public) : text_(std::move(text)), is_public_(is_public) {}
  std::string text_;
  bool is_public_;
};

std::unexpected<Error> unreadable(const char* what, const std::string& path, const std::string& why) {
  return fail(std::string("the ") + what + " " + path + " cannot be read: " + why);
}

Expected<PemText> PemText::read(const std::string& path, const char* what) {
  // A pipe without a writer must not hold the server up.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return unreadable(what, path, std::strerror(errno));
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return unreadable(what, path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return unreadable(what, path, "it is no ordinary file, and has to be read again later");
  if (static_cast<size_t>(status.st_size) > most_file_bytes) return unreadable(what, path, "it is larger than 1 MiB");
  // As large as it may get: growing would leave pieces of a key behind.
  std::string text(most_file_bytes + 1, '\0');
  size_t length = 0;
  ssize_t count = 0;
  while (length < text.size() && (count = ::read(file.get(), text.data() + length, text.size() - length)) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(what, path, std::strerror(errno));
    length += static_cast<size_t>(count);
  }
  PemText all(std::move(text), (status.st_mode & S_IROTH) != 0);
  if (length > most_file_bytes) return unreadable(what, path, "it is larger than 1 MiB");
  all.text_.resize(length);
  return all;
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio reader_of(const PemText& text) {
  return Bio(BIO_new_mem_buf(text.text().data(), static_cast<int>(text.text().size())));
}

/// Without it OpenSSL asks on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

bool is_end_of_pem(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

Expected<void> read_certificates(OSSL_LIB_CTX* library, const PemText& text, const std::string& path,
                                 Certificate& into) {
  const Bio bio = reader_of(text);
  for (;;) {
    X509* made = X509_new_ex(library, nullptr);
    bool asked = false;
    const bool parsed = PEM_read_bio_X509(bio.get(), &made, no_passphrase, &asked) != nullptr;
    std::unique_ptr<X509, FreeCertificate> certificate(made);
    if (parsed) {
      (into.leaf ? into.chain.emplace_back() : into.leaf) = std::move(certificate);
      continue;
    }
    const bool at_end = is_end_of_pem(ERR_peek_last_error());
    const std::string reason = openssl_reason();
    if (!at_end) return fail("the certificate file " + path + " is damaged: " + reason);
    if (into.leaf) return {};
    if (text.mentions("PRIVATE KEY-----")) {
      return fail("the certificate file " + path +
                  " holds a private key and no certificate: are --cert and --key the wrong way round?");
    }
    return fail("the certificate file " + path +
                " holds no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----");
  }
}

Expected<void> read_key(OSSL_LIB_CTX* library, const PemText& text, const std::string& path, Certificate& into) {
  const Bio bio = reader_of(text);
  bool asked = false;
  into.key.reset(PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_passphrase, &asked, library, nullptr));
  const std::string reason = openssl_reason();
  if (into.key) return {};
  if (asked) {
    return fail("the private key in " + path +
                " is encrypted, and cweb asks nobody for a passphrase: decrypt it with openssl pkey -in " + path +
                " -out server.key, and let only the server's user read the new file");
  }
  if (text.mentions("PRIVATE KEY-----")) return fail("the private key in " + path + " is damaged: " + reason);
  if (text.mentions("CERTIFICATE-----")) {
    return fail("the key file " + path +
                " holds a certificate and no private key: are --cert and --key the wrong way round?");
  }
  return fail("the key file " + path +
              " holds no private key in PEM form, which begins with -----BEGIN PRIVATE KEY-----");
}

std::string day_of(const ASN1_TIME* time) {
  tm calendar{};
  if (ASN1_TIME_to_tm(time, &calendar) != 1) return "an unknown day";
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &calendar);
  return text;
}

void check_dates(const std::string& path, Certificate& certificate) {
  const ASN1_TIME* const begins = X509_get0_notBefore(certificate.leaf.get());
  const ASN1_TIME* const ends = X509_get0_notAfter(certificate.leaf.get());
  tm calendar{};
  if (ASN1_TIME_to_tm(ends, &calendar) == 1) certificate.not_after = timegm(&calendar);
  if (X509_cmp_current_time(ends) < 0) {
    certificate.warnings.push_back("the certificate in " + path + " has expired on " + day_of(ends) +
                                   ": clients will refuse it");
  }
  if (X509_cmp_current_time(begins) > 0) {
    certificate.warnings.push_back("the certificate in " + path + " is not valid before " + day_of(begins) +
                                   ": clients will refuse it until then");
  }
}

std::string fingerprint_of(OSSL_LIB_CTX* library, const PemText& certificate, const PemText& key) {
  std::string both(2 * SHA256_DIGEST_LENGTH, '\0');
  auto* const sums = reinterpret_cast<unsigned char*>(both.data());
  const auto add = [&](const PemText& file, unsigned char* to) {
    CWEB_ASSERT(EVP_Q_digest(library, "SHA256", nullptr, file.text().data(), file.text().size(), to, nullptr) == 1);
  };
  add(certificate, sums);
  add(key, sums + SHA256_DIGEST_LENGTH);
  return both;
}

}  // namespace

void FreeCertificate::operator()(X509* certificate) const {
  X509_free(certificate);
}

void FreeKey::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}

std::string openssl_reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* const reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? "its form is unknown" : reason;
}

Expected<Certificate> read_certificate(OSSL_LIB_CTX* library, const CertificateFiles& files) {
  // Modules share the thread's list of failures, and may have left some.
  ERR_clear_error();
  const auto certificate_text = PemText::read(files.certificate, "certificate file");
  if (!certificate_text) return std::unexpected(certificate_text.error());
  const auto key_text = PemText::read(files.key, "key file");
  if (!key_text) return std::unexpected(key_text.error());
  Certificate certificate;
  if (auto read = read_certificates(library, *certificate_text, files.certificate, certificate); !read) {
    return std::unexpected(read.error());
  }
  if (auto read = read_key(library, *key_text, files.key, certificate); !read) return std::unexpected(read.error());
  const bool is_pair = X509_check_private_key(certificate.leaf.get(), certificate.key.get()) == 1;
  ERR_clear_error();
  if (!is_pair) {
    return fail("the private key in " + files.key + " is not the one of the certificate in " + files.certificate);
  }
  certificate.fingerprint = fingerprint_of(library, *certificate_text, *key_text);
  check_dates(files.certificate, certificate);
  if (key_text->is_readable_by_all()) {
    certificate.warnings.push_back("the private key in " + files.key +
                                   " can be read by every user of this machine: chmod 600 " + files.key);
  }
  return certificate;
}

}  // namespace cweb::net
