// Who may use /mgnt. Whoever may post a module owns the account that the server runs as, so this is the lock on the
// door: the question asked here is who sends. What the call does is asked for the read key alone.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "mgnt/admin_key.h"
#include "mgnt/failed_keys.h"
#include "server/management.h"

namespace cweb::mgnt {

struct AccessOptions {
  bool production = false;
  std::optional<std::string_view> admin_key;
  bool key_was_made = false;  ///< the admin key, by the server, which has printed it to its log
  std::optional<std::string_view> read_key;
  /// Peers that count as this machine where no key is set; never in production.
  std::vector<net::PeerAddress> trusted_gateways;
  /// Names or addresses ("[::1]" with brackets), without port, that a Host may have besides those of this machine.
  std::vector<std::string> admin_hosts;
};

/// What became of a request at the door.
struct Admission {
  enum class How {
    refused,
    open,     ///< nobody is asked: health
    keyless,  ///< development, straight from this machine, and no key is set
    gateway,  ///< the same from the gateway, which is trusted
    key,
    read_key,  ///< the call is one that it opens
  };
  How how = How::refused;
  int status = 200;                    ///< of a refusal: 401, 403 or 429
  std::string sentence;                ///< of a refusal: why
  std::string challenge;               ///< of a 401: the value of WWW-Authenticate
  std::chrono::seconds retry_after{};  ///< of a 429
  bool wrong_key = false;

  bool admitted() const { return how != How::refused; }
};

/// Thread-safe. The rules, in the order in which they are asked:
///
/// 1. GET and HEAD of /mgnt/health are answered to everybody under any name: load balancers ask by address, without a
///    key and through proxies, and the answer tells no more than that somebody serves here.
/// 2. No web page may, but our own. A page in the developer's own browser can send a POST here without asking (a
///    "simple" cross-origin request), so a loopback peer alone proves nothing: Origin and Sec-Fetch-Site say who the
///    browser sends for, and a Host that is neither a name of this machine nor an admin host is a page whose name was
///    made to resolve to this machine. Asked before the key, so that a page can neither try keys nor use up attempts.
///    Two of one of these headers, or two keys, are refused: the next server may have read the other one.
/// 3. The key, when one is set, as production demands: the admin key opens everything, the read key what read_scope
///    says. Where none is set, only who speaks straight from this machine may, or from a gateway that is trusted: no
///    other peer, and no proxy that says that it is one. HTTP/1.0 is taken for one: that is what
///    nginx speaks unless told otherwise, adding no header. (One that speaks HTTP/1.1, adds no header and changes the
///    Host cannot be told from its user; a server behind it needs a key.)
///
/// An address that was wrong too often waits, and the key that it sends meanwhile is not looked at, be it right or not:
/// otherwise the answer would still tell which guess was right.
class Access {
 public:
  /// Fails when the options cannot be meant: production without a key, a key that is none, a read key without an admin
  /// key or equal to it, a name that no Host can be.
  static Expected<std::unique_ptr<Access>> create(const AccessOptions& options);

  /// `now` is of CLOCK_MONOTONIC.
  Admission admit(const server::ManagementRequest& request, std::chrono::nanoseconds now);

  /// Does everybody need the key, on this machine too?
  bool always_asks_key() const { return keys_.admin.has_value(); }

 private:
  struct Keys {
    std::optional<AdminKey> admin;  ///< never empty in production
    std::optional<AdminKey> read;   ///< only where there is an admin key
    bool admin_was_made = false;
  };
  static Expected<Keys> make_keys(const AccessOptions& options);

  Access(const Keys& keys, std::vector<std::string> admin_hosts, std::vector<net::PeerAddress> gateways)
      : keys_(keys), admin_hosts_(std::move(admin_hosts)), trusted_gateways_(std::move(gateways)) {}

  bool is_own_host(std::string_view host) const;
  bool is_trusted_gateway(const net::PeerAddress& peer) const;
  std::string where_the_key_is() const;
  Admission check_key(const server::ManagementRequest& request, std::optional<std::string_view> sent,
                      std::chrono::nanoseconds now);

  const Keys keys_;
  const std::vector<std::string> admin_hosts_;  ///< in lower case
  const std::vector<net::PeerAddress> trusted_gateways_;
  FailedKeys failed_keys_;
};

/// Is this the value of a Host header that names the loopback interface: localhost, 127.0.0.0/8 or [::1], with or
/// without a port?
bool is_loopback_host(std::string_view host);

/// The key that "Bearer KEY" carries; empty for other schemes, whose credentials are for somebody else.
std::optional<std::string_view> bearer_key(std::string_view authorization);

}  // namespace cweb::mgnt
