// The door of /mgnt, with keys and without. First line: 'k' a key is set, 'r' a read key beside it, 'g' the gateway is
// trusted where there is no key, 'l' the peer is this machine and else the gateway, '0' it speaks HTTP/1.0; then
// "METHOD path"; then headers as "name: value". Who is let in is who the rules of mgnt/access.h let in, read a second
// time here.
#include "mgnt/access.h"

#include <netinet/in.h>
#include <regex.h>

#include <algorithm>

#include "base/error.h"
#include "fuzz/support/input.h"

namespace {

using namespace cweb;

constexpr std::string_view key = "the-key-of-this-server";
constexpr std::string_view read_key = "the-key-that-only-reads";
constexpr std::string_view wrong_key = "the-key-of-this-serveR";

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

class Pattern {
 public:
  explicit Pattern(const char* text) {
    CWEB_ASSERT(regcomp(&expression_, text, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0);
  }
  bool matches(const std::string& text) const {
    return text.find('\0') == text.npos && regexec(&expression_, text.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t expression_;
};

const Pattern& own_host() {
  static const Pattern pattern(
      "^(localhost|127(\\.[0-9]{1,3}){3}|\\[::1]|admin\\.example|\\[2001:db8::1])(:[0-9]{1,5})?$");
  return pattern;
}

/// What a request shows at the door.
struct Door {
  std::vector<std::string> hosts, origins, sites, authorizations, api_keys;
  bool proxy = false;

  explicit Door(const server::ManagementRequest& request) {
    for (const auto& [name, value] : request.headers) {
      const std::string lower = lower_case(name);
      if (lower == "host") hosts.push_back(value);
      if (lower == "origin") origins.push_back(value);
      if (lower == "sec-fetch-site") sites.push_back(value);
      if (lower == "authorization") authorizations.push_back(value);
      if (lower == "x-api-key") api_keys.push_back(value);
      proxy |= lower == "forwarded" || lower == "via" || lower.starts_with("x-forwarded");
    }
  }

  bool is_no_web_page() const {
    return hosts.size() == 1 && origins.size() <= 1 && sites.size() <= 1 && own_host().matches(hosts[0]) &&
           (origins.empty() || origins[0] == "http://" + hosts[0]) &&
           (sites.empty() || sites[0] == "none" || sites[0] == "same-origin");
  }
  bool has(std::string_view key) const {
    if (authorizations.size() + api_keys.size() > 2) return false;
    const std::string_view bearer = "bearer ";
    for (const std::string& value : authorizations) {
      const bool right = lower_case(value).starts_with(bearer) && value.ends_with(key) &&
                         value.substr(0, value.size() - key.size()).find_last_not_of(' ') == bearer.size() - 2;
      if (right && api_keys.empty()) return true;
    }
    return api_keys.size() == 1 && api_keys[0] == key;
  }
};

net::PeerAddress peer(bool is_loopback) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(is_loopback ? INADDR_LOOPBACK : 0xc0000201);
  return net::PeerAddress::from(storage);
}

server::ManagementRequest take_request(fuzz::Input& input, bool from_this_machine) {
  server::ManagementRequest request;
  const std::string_view line = input.line();
  request.method = line.substr(0, line.find(' '));
  request.path = line.substr(std::min(request.method.size() + 1, line.size()));
  request.peer = peer(from_this_machine);
  while (!input.empty()) {
    const std::string_view header = input.line();
    const size_t colon = header.find(": ");
    if (colon != header.npos) request.headers.emplace_back(header.substr(0, colon), header.substr(colon + 2));
  }
  return request;
}

void check_refusal(const mgnt::Admission& admission) {
  CWEB_ASSERT(admission.status == 401 || admission.status == 403 || admission.status == 429);
  CWEB_ASSERT(!admission.sentence.empty() && admission.sentence.find(key) == std::string::npos);
  CWEB_ASSERT((admission.status == 401) == !admission.challenge.empty());
}

/// Whatever it sent before, an address that guesses at the key has to wait in the end.
void check_wait(mgnt::Access& access, server::ManagementRequest request) {
  request.path = "/mgnt";
  request.headers = {{"Host", "localhost"}, {"X-API-Key", std::string(wrong_key)}};
  int status = 0;
  for (int guesses = 0; guesses < 100 && status != 429; ++guesses) {
    const mgnt::Admission admission = access.admit(request, {});
    CWEB_ASSERT(!admission.admitted());
    status = admission.status;
  }
  CWEB_ASSERT(status == 429);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const std::string_view flags = input.line();
  const bool has_key = flags.find('k') != flags.npos, from_this_machine = flags.find('l') != flags.npos;
  server::ManagementRequest request = take_request(input, from_this_machine);
  request.minor_version = flags.find('0') == flags.npos ? 1 : 0;

  mgnt::AccessOptions options;
  const bool has_read_key = has_key && flags.find('r') != flags.npos;
  const bool trusts_the_other = !has_key && flags.find('g') != flags.npos;
  if (has_key) options.admin_key = key;
  if (has_read_key) options.read_key = read_key;
  if (trusts_the_other) options.trusted_gateways = {peer(false)};
  options.admin_hosts = {"Admin.Example", "[2001:db8::1]"};
  auto access = mgnt::Access::create(options);
  CWEB_ASSERT(access.has_value());
  const mgnt::Admission admission = (*access)->admit(request, {});

  using How = mgnt::Admission::How;
  const Door door(request);
  const bool is_health = request.path == "/mgnt/health" && (request.method == "GET" || request.method == "HEAD");
  if (is_health) {
    CWEB_ASSERT(admission.how == How::open);
    return 0;
  }
  if (!admission.admitted()) check_refusal(admission);
  if (admission.admitted()) CWEB_ASSERT(door.is_no_web_page());
  if (has_key) {
    const bool reads = has_read_key && admission.how == How::read_key && door.has(read_key) &&
                       request.method != "POST" && request.method != "PUT" && request.method != "DELETE" &&
                       !request.path.ends_with("/source");
    CWEB_ASSERT(!admission.admitted() || (admission.how == How::key && door.has(key)) || reads);
    if (!admission.admitted()) check_wait(**access, request);
  } else {
    const bool near =
        from_this_machine ? admission.how == How::keyless : trusts_the_other && admission.how == How::gateway;
    CWEB_ASSERT(!admission.admitted() || (near && !door.proxy && request.minor_version == 1));
  }
  return 0;
}
