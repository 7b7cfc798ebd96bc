#include "cli/server_url.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

constexpr std::string_view http = "http://";
constexpr std::string_view https = "https://";

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// A name or an address, of IPv6 in brackets, in lower case.
bool is_host(std::string_view host) {
  const bool brackets = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (brackets) host = host.substr(1, host.size() - 2);
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [&](char c) {
    if (brackets) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
  });
}

std::optional<uint16_t> parse_port(std::string_view digits) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

/// Four numbers, the first of them 127.
bool is_loopback_ipv4(std::string_view host) {
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

Expected<std::string> parse_server_url(std::string_view text) {
  const std::string shown = one_line(text);
  const std::string lower = lower_case(text);
  if (text.empty()) return fail("the server's URL is empty: it looks like http://localhost:8080");
  const size_t scheme_end = lower.find("://");
  if (scheme_end == std::string::npos) {
    return fail("the server's URL " + shown + " has no scheme: write http://" + shown + " or https://" + shown);
  }
  const std::string_view scheme = lower.starts_with(https) ? https : http;
  if (!lower.starts_with(scheme)) {
    return fail("the server's URL " + shown + " is neither http:// nor https://, and cweb speaks nothing else");
  }
  std::string_view rest = std::string_view(lower).substr(scheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  std::string_view path = text.substr(scheme.size() + authority.size());
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty() && path != "/mgnt") {
    return fail("the server's URL " + shown + " has a path, and cweb is managed at /mgnt alone: write " +
                one_line(std::string(scheme) + std::string(authority)));
  }
  if (authority.find('@') != std::string_view::npos) {
    return fail("the server's URL holds a user name or password, which cweb does not know: give a key with cweb login");
  }
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const size_t colon = bracket == std::string_view::npos ? bracket : authority.find(':', bracket);
  const std::string_view host = authority.substr(0, colon);
  if (!is_host(host))
    return fail("the server's URL " + shown + " has no host name: it looks like http://localhost:8080");
  const auto port = colon == std::string_view::npos ? std::optional<uint16_t>(scheme == https ? 443 : 80)
                                                    : parse_port(authority.substr(colon + 1));
  if (!port) return fail("the server's URL " + shown + " has a port that is no number from 1 to 65535");
  return std::string(scheme) + std::string(host) + ":" + std::to_string(*port);
}

std::string_view host_of_url(std::string_view url) {
  url.remove_prefix(is_https_url(url) ? https.size() : http.size());
  return url.substr(0, url.rfind(':'));
}

bool is_https_url(std::string_view url) {
  return url.starts_with(https);
}

bool is_loopback_url(std::string_view url) {
  const std::string_view host = host_of_url(url);
  return host == "localhost" || host == "[::1]" || is_loopback_ipv4(host);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += digits[byte >> 4U];
    encoded += digits[byte & 0xfU];
  }
  return encoded;
}

}  // namespace cweb::cli
