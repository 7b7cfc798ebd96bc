#include "net/tls_ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/clock.h"

namespace cweb::net {
namespace {

bool has_name(const TicketKeys::Key& key, const unsigned char* name) {
  return std::equal(key.name.begin(), key.name.end(), name);
}

/// Wiped when it goes.
struct KeyCopy {
  TicketKeys::Key key;
  ~KeyCopy() { OPENSSL_cleanse(&key, sizeof key); }
};

}  // namespace

void TicketKeys::FreeCipher::operator()(EVP_CIPHER* cipher) const {
  EVP_CIPHER_free(cipher);
}

TicketKeys::TicketKeys(OSSL_LIB_CTX* library)
    : library_(library), cipher_(EVP_CIPHER_fetch(library, "AES-256-CBC", nullptr)) {}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(&current_, sizeof current_);
  OPENSSL_cleanse(&previous_, sizeof previous_);
}

bool TicketKeys::make_key(Key& key) const {
  return RAND_priv_bytes_ex(library_, key.cipher.data(), key.cipher.size(), 0) == 1 &&
         RAND_priv_bytes_ex(library_, key.mac.data(), key.mac.size(), 0) == 1 &&
         RAND_bytes_ex(library_, key.name.data(), key.name.size(), 0) == 1;
}

bool TicketKeys::turn(int64_t now_ms) {
  const int64_t age_ms = now_ms - made_at_ms_;
  if (has_current_ && age_ms < lifetime_ms) return true;
  Key fresh;
  if (!make_key(fresh)) return false;
  // A key that nobody has asked for in a long time is too old for the second place as well.
  has_previous_ = has_current_ && age_ms < 2 * lifetime_ms;
  previous_ = current_;
  current_ = fresh;
  OPENSSL_cleanse(&fresh, sizeof fresh);
  made_at_ms_ = now_ms;
  has_current_ = true;
  return true;
}

bool TicketKeys::sealing_key(Key& into, int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (!turn(now_ms)) return false;
  into = current_;
  return true;
}

TicketKeys::Found TicketKeys::opening_key(const unsigned char* name, Key& into, int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (!turn(now_ms)) return Found::none;
  if (has_name(current_, name)) {
    into = current_;
    return Found::current;
  }
  if (!has_previous_ || !has_name(previous_, name)) return Found::none;
  into = previous_;
  return Found::previous;
}

/// Returns as OpenSSL wants it: below 0 failed, 0 no such key (a full handshake follows), 1 done, 2 done and the client
/// needs a new ticket.
int TicketKeys::set_up(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool sealing) {
  KeyCopy copy;
  Key& key = copy.key;
  int done = 1;
  if (sealing) {
    if (!sealing_key(key, monotonic_ms()) || RAND_bytes_ex(library_, iv, EVP_MAX_IV_LENGTH, 0) != 1) return -1;
    std::copy(key.name.begin(), key.name.end(), name);
  } else {
    const Found found = opening_key(name, key, monotonic_ms());
    if (found == Found::none) return 0;
    if (found == Found::previous) done = 2;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const int initialised = sealing ? EVP_EncryptInit_ex2(cipher, cipher_.get(), key.cipher.data(), iv, nullptr)
                                  : EVP_DecryptInit_ex2(cipher, cipher_.get(), key.cipher.data(), iv, nullptr);
  return initialised == 1 ? done : -1;
}

}  // namespace cweb::net
