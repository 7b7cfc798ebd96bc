#include "mgnt/access.h"

namespace cweb::mgnt {
namespace {

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

bool is_proxy_header(std::string_view lower_name) {
  return lower_name == "forwarded" || lower_name == "via" || lower_name.starts_with("x-forwarded-");
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  std::string_view name = host;
  const size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const size_t colon = host.find(':', bracket);
  if (colon != std::string_view::npos) {
    if (!is_number_up_to(host.substr(colon + 1), 65'535)) return false;
    name = host.substr(0, colon);
  }
  return lower_case(name) == "localhost" || name == "[::1]" || is_loopback_ipv4(name);
}

std::optional<std::string> refuse(const server::ManagementRequest& request) {
  if (!request.peer_is_loopback) return "/mgnt answers only requests that come from this machine";
  const std::string* host = nullptr;
  for (const auto& [name, value] : request.headers) {
    const std::string lower_name = lower_case(name);
    if (is_proxy_header(lower_name)) {
      return "/mgnt answers only direct requests; this one came through a proxy (it carries " + name + ")";
    }
    if (lower_name != "host") continue;
    if (host != nullptr) return "the request has two Host headers";
    host = &value;
  }
  if (host == nullptr) return "/mgnt needs a Host header that names this machine, such as localhost";
  if (!is_loopback_host(*host)) {
    return "/mgnt is reached as localhost, 127.0.0.1 or [::1]; this request's Host is another name";
  }
  for (const auto& [name, value] : request.headers) {
    const std::string lower_name = lower_case(name);
    if (lower_name == "origin" && value != "http://" + *host) {
      return "/mgnt does not answer requests that a web page of another origin makes a browser send";
    }
    if (lower_name == "sec-fetch-site" && value != "same-origin" && value != "none") {
      return "/mgnt does not answer requests that another site makes a browser send";
    }
  }
  return std::nullopt;
}

}  // namespace cweb::mgnt
