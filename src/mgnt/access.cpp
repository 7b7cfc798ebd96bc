#include "mgnt/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mgnt/read_scope.h"

namespace cweb::mgnt {
namespace {

using server::ManagementRequest;

constexpr std::string_view missing_key_challenge = R"(Bearer realm="cweb /mgnt")";
constexpr std::string_view wrong_key_challenge = R"(Bearer realm="cweb /mgnt", error="invalid_token")";

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool is_number_up_to(std::string_view digits, unsigned limit) {
  if (digits.empty() || digits.size() > 5) return false;
  unsigned value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= limit;
}

/// Four decimal numbers, the first of them 127. The short forms that inet_aton knows ("127.1", "0x7f.1") are no names
/// that anybody types, and are refused.
bool is_loopback_ipv4(std::string_view address) {
  for (int part = 0; part < 4; ++part) {
    const size_t dot = address.find('.');
    if ((dot == std::string_view::npos) != (part == 3)) return false;
    const std::string_view number = address.substr(0, dot);
    if (number.size() > 3 || !is_number_up_to(number, 255)) return false;
    if (part == 0 && number != "127") return false;
    if (part < 3) address.remove_prefix(dot + 1);
  }
  return true;
}

/// What stands before the port, in lower case; empty when this is not a host with or without a port.
std::string name_of_host(std::string_view host) {
  const size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return {};
  const size_t colon = host.find(':', bracket);
  if (colon == std::string_view::npos) return lower_case(host);
  if (!is_number_up_to(host.substr(colon + 1), 65'535)) return {};
  return lower_case(host.substr(0, colon));
}

/// A name or an IPv4 address, or an IPv6 address in brackets; what may stand in a Host but for the port.
bool can_be_a_host_name(std::string_view lower_name) {
  const bool brackets = lower_name.starts_with('[') && lower_name.ends_with(']') && lower_name.size() > 2;
  if (brackets) lower_name = lower_name.substr(1, lower_name.size() - 2);
  return !lower_name.empty() && std::all_of(lower_name.begin(), lower_name.end(), [&](char c) {
    if (brackets) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
  });
}

/// What proxies, load balancers and content networks say about the client that they speak for. Any of them means that
/// the peer is not who asks.
bool is_proxy_header(std::string_view lower_name) {
  constexpr std::array<std::string_view, 8> names = {
      "forwarded",           "via",
      "x-real-ip",           "x-client-ip",
      "x-cluster-client-ip", "true-client-ip",
      "cf-connecting-ip",    "fastly-client-ip",
  };
  return lower_name.starts_with("x-forwarded") || lower_name.starts_with("x-original-forwarded") ||
         std::find(names.begin(), names.end(), lower_name) != names.end();
}

/// The headers that the door looks at. Those that are not there are null.
struct DoorHeaders {
  const std::string* host = nullptr;
  const std::string* origin = nullptr;
  const std::string* fetch_site = nullptr;
  const std::string* authorization = nullptr;
  const std::string* api_key = nullptr;
  const std::string* proxy_name = nullptr;  ///< the name of the first header of a proxy
  const char* repeated = nullptr;           ///< the name of one that is there twice
};

DoorHeaders read_headers(const ManagementRequest& request) {
  DoorHeaders found;
  const auto take = [&](const std::string*& place, const std::string& value, const char* name) {
    if (place != nullptr) found.repeated = name;
    place = &value;
  };
  for (const auto& [name, value] : request.headers) {
    const std::string lower_name = lower_case(name);
    if (lower_name == "host") take(found.host, value, "Host");
    if (lower_name == "origin") take(found.origin, value, "Origin");
    if (lower_name == "sec-fetch-site") take(found.fetch_site, value, "Sec-Fetch-Site");
    if (lower_name == "authorization") take(found.authorization, value, "Authorization");
    if (lower_name == "x-api-key") take(found.api_key, value, "X-API-Key");
    if (found.proxy_name == nullptr && is_proxy_header(lower_name)) found.proxy_name = &name;
  }
  return found;
}

Admission refuse(int status, std::string sentence) {
  Admission refusal;
  refusal.status = status;
  refusal.sentence = std::move(sentence);
  return refusal;
}

Admission challenge(std::string_view value, std::string sentence) {
  Admission refusal = refuse(401, std::move(sentence));
  refusal.challenge = value;
  return refusal;
}

Admission admit_by(Admission::How how) {
  Admission admission;
  admission.how = how;
  return admission;
}

bool is_open_to_everybody(const ManagementRequest& request) {
  return request.path == "/mgnt/health" && (request.method == "GET" || request.method == "HEAD");
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  const std::string name = name_of_host(host);
  return name == "localhost" || name == "[::1]" || is_loopback_ipv4(name);
}

std::optional<std::string_view> bearer_key(std::string_view authorization) {
  const size_t end = std::min(authorization.find(' '), authorization.size());
  if (lower_case(authorization.substr(0, end)) != "bearer") return std::nullopt;
  return authorization.substr(std::min(authorization.find_first_not_of(' ', end), authorization.size()));
}

Expected<Access::Keys> Access::make_keys(const AccessOptions& options) {
  Keys keys;
  keys.admin_was_made = options.key_was_made;
  if (options.admin_key) {
    auto made = AdminKey::create(*options.admin_key, options.production);
    if (!made) return std::unexpected(made.error());
    keys.admin = *made;
  } else if (options.production) {
    return fail(
        "production needs an admin key: set CWEB_ADMIN_KEY, or name a file that holds one with --admin-key-file");
  }
  if (!options.read_key) return keys;
  auto made = AdminKey::create(*options.read_key, options.production, "the read key");
  if (!made) return std::unexpected(made.error());
  if (!keys.admin) return fail("a read key is of use beside an admin key: set CWEB_ADMIN_KEY, or --admin-key-file");
  if (*made == *keys.admin) return fail("the read key and the admin key are the same: the read key is to open less");
  keys.read = *made;
  return keys;
}

Expected<std::unique_ptr<Access>> Access::create(const AccessOptions& options) {
  const auto keys = make_keys(options);
  if (!keys) return std::unexpected(keys.error());
  if (options.production && !options.trusted_gateways.empty()) {
    return fail("in production no gateway is trusted: everybody needs the key");
  }
  std::vector<std::string> hosts;
  for (const std::string& host : options.admin_hosts) {
    hosts.push_back(lower_case(host));
    if (can_be_a_host_name(hosts.back())) continue;
    return fail("--admin-host takes a name or an address ([...] around IPv6), without scheme and port; this is none: " +
                host);
  }
  return std::unique_ptr<Access>(new Access(*keys, std::move(hosts), options.trusted_gateways));
}

Admission Access::admit(const ManagementRequest& request, std::chrono::nanoseconds now) {
  if (is_open_to_everybody(request)) return admit_by(Admission::How::open);
  const DoorHeaders headers = read_headers(request);
  if (headers.repeated != nullptr) {
    return refuse(403, fmt::format("/mgnt does not answer a request with two {} headers", headers.repeated));
  }
  if (headers.host == nullptr)
    return refuse(403, "/mgnt needs a Host header that names this machine, such as localhost");
  if (!is_own_host(*headers.host)) {
    return refuse(403,
                  "/mgnt is reached as localhost, 127.0.0.1, [::1] or a name that was given with --admin-host; this "
                  "request's Host is another one");
  }
  if (headers.fetch_site != nullptr && *headers.fetch_site != "same-origin" && *headers.fetch_site != "none") {
    return refuse(403, "/mgnt does not answer requests that another site makes a browser send");
  }
  const std::string own_origin = (request.is_https ? "https://" : "http://") + *headers.host;
  if (headers.origin != nullptr && *headers.origin != own_origin) {
    return refuse(403, "/mgnt does not answer requests that a web page of another origin makes a browser send");
  }

  const auto bearer = headers.authorization != nullptr ? bearer_key(*headers.authorization) : std::nullopt;
  if (bearer && headers.api_key != nullptr) {
    return refuse(403, "/mgnt does not answer a request with two keys: send one, by Authorization or by X-API-Key");
  }
  if (keys_.admin) {
    const std::optional<std::string_view> sent = headers.api_key != nullptr ? *headers.api_key : bearer;
    return check_key(request, sent, now);
  }
  const bool by_gateway = is_trusted_gateway(request.peer);
  if (!request.peer.is_loopback() && !by_gateway) {
    return refuse(403, "/mgnt answers only requests that come from this machine, until the server is given a key");
  }
  if (headers.proxy_name != nullptr) {
    return refuse(403, fmt::format("/mgnt answers only direct requests, until the server is given a key; this one came "
                                   "through a proxy (it carries {})",
                                   *headers.proxy_name));
  }
  // nginx, unless it is told otherwise, passes requests on as HTTP/1.0, under a loopback Host and without a word of
  // whom it speaks for.
  if (request.minor_version == 0) {
    return refuse(
        403,
        "/mgnt does not answer HTTP/1.0, the way in which proxies pass requests on, until the server is given "
        "a key");
  }
  return admit_by(by_gateway ? Admission::How::gateway : Admission::How::keyless);
}

bool Access::is_own_host(std::string_view host) const {
  return is_loopback_host(host) ||
         std::find(admin_hosts_.begin(), admin_hosts_.end(), name_of_host(host)) != admin_hosts_.end();
}

bool Access::is_trusted_gateway(const net::PeerAddress& peer) const {
  return std::any_of(trusted_gateways_.begin(), trusted_gateways_.end(),
                     [&](const net::PeerAddress& gateway) { return gateway.has_address_of(peer); });
}

std::string Access::where_the_key_is() const {
  return keys_.admin_was_made
             ? "; it was made when the server started, and its log has it, with a line to try: docker logs CONTAINER"
             : "";
}

Admission Access::check_key(const ManagementRequest& request, std::optional<std::string_view> sent,
                            std::chrono::nanoseconds now) {
  const net::PeerAddress& peer = request.peer;
  if (!sent) {
    return challenge(
        missing_key_challenge,
        "/mgnt needs the admin key: send it as Authorization: Bearer KEY, or as X-API-Key: KEY" + where_the_key_is());
  }
  if (const auto wait = failed_keys_.wait_time(peer, now); wait.count() > 0) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
    Admission refusal =
        refuse(429, fmt::format("/mgnt got too many wrong keys from this address: try again in {} s", seconds.count()));
    refusal.retry_after = seconds;
    return refusal;
  }
  // Both are looked at always, so that the time tells nobody which one it was near to.
  const bool is_admin = keys_.admin->matches(*sent);
  const bool is_reader = keys_.read && keys_.read->matches(*sent);
  if (is_admin) return admit_by(Admission::How::key);
  if (is_reader && is_open_to_readers(request.method, request.path)) return admit_by(Admission::How::read_key);
  if (is_reader) {
    return refuse(403, "the read key may list modules, see them, their history and their faults, and read metrics: " +
                           request.method + " of this path needs the admin key");
  }
  failed_keys_.note(peer, now);
  Admission refusal = challenge(wrong_key_challenge, "this is not the admin key of /mgnt" + where_the_key_is());
  refusal.wrong_key = true;
  return refusal;
}

}  // namespace cweb::mgnt
