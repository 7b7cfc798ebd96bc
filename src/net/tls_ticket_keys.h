// The keys that session tickets are sealed with. They are made here, never written down, and replaced every hour; what
// was sealed with the one before is taken for an hour more. Any thread.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>

namespace cweb::net {

class TicketKeys {
 public:
  static constexpr int64_t lifetime_ms = 3'600'000;

  /// `library` gives the algorithms and the random numbers, and outlives this.
  explicit TicketKeys(OSSL_LIB_CTX* library);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
  };
  /// The key to seal a ticket with; empty when the system has no random numbers.
  bool sealing_key(Key& into, int64_t now_ms);
  enum class Found { none, current, previous };
  /// The key that a ticket was sealed with.
  Found opening_key(const unsigned char* name, Key& into, int64_t now_ms);

  /// For SSL_CTX_set_tlsext_ticket_key_evp_cb: sets cipher and MAC up with one of these keys.
  int set_up(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool sealing);

 private:
  struct FreeCipher {
    void operator()(EVP_CIPHER* cipher) const;
  };
  bool make_key(Key& key) const;
  /// Both keys as they have to be now. False without random numbers.
  bool turn(int64_t now_ms);

  OSSL_LIB_CTX* const library_;
  const std::unique_ptr<EVP_CIPHER, FreeCipher> cipher_;
  std::mutex mutex_;
  Key current_, previous_;     // guarded by mutex_
  int64_t made_at_ms_ = 0;     // guarded by mutex_; of current_
  bool has_current_ = false;   // guarded by mutex_
  bool has_previous_ = false;  // guarded by mutex_
};

}  // namespace cweb::net
