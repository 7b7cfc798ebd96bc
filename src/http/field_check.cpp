#include "http/field_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "http/characters.h"

namespace cweb::http {
namespace {

constexpr auto npos = std::string_view::npos;

struct Field {
  std::string_view name;
  int count = 0;
  std::string_view value = {};  // the last one
};

/// The headers that are looked at.
struct Fields {
  Field host{"host"};
  Field expect{"expect"};
  Field length{"content-length"};
  Field coding{"transfer-encoding"};

  explicit Fields(const RequestReader& reader) {
    for (const HeaderPiece& header : reader.headers()) {
      Field* const candidate = of_length(header.name.length);
      if (candidate == nullptr || !same_ignoring_case(reader.view(header.name), candidate->name)) continue;
      ++candidate->count;
      candidate->value = reader.view(header.value);
    }
  }

 private:
  /// The names differ in length, so that most headers cost one comparison.
  Field* of_length(size_t name_length) {
    for (Field* field : {&host, &expect, &length, &coding}) {
      if (field->name.size() == name_length) return field;
    }
    return nullptr;
  }
};

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_port(std::string_view text) {
  if (text.size() > 5 || !all_digits(text)) return false;
  unsigned number = 0;
  for (const char c : text) number = number * 10 + static_cast<unsigned>(c - '0');
  return number <= 65'535;
}

/// "[::1]"
bool is_ipv6_literal(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> address{};
  if (text.size() < 4 || text.size() - 2 >= address.size() || text.front() != '[' || text.back() != ']') return false;
  std::ranges::copy(text.substr(1, text.size() - 2), address.begin());
  in6_addr parsed;
  return inet_pton(AF_INET6, address.data(), &parsed) == 1;
}

/// Where a registered name ends that begins where `text` does.
size_t registered_name_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    if (is_host_character(text[length])) {
      ++length;
    } else if (text[length] == '%' && length + 2 < text.size() && hex_value(text[length + 1]) >= 0 &&
               hex_value(text[length + 2]) >= 0) {
      length += 3;
    } else {
      break;
    }
  }
  return length;
}

std::optional<Rejection> host_fault(const Fields& fields, int minor_version) {
  if (fields.host.count > 1 || (fields.host.count == 0 && minor_version > 0)) {
    return Rejection{400, "a request must have one Host header"};
  }
  if (!is_host(fields.host.value))
    return Rejection{400, "the Host header must be a host name or address, with or without port"};
  return std::nullopt;
}

/// Where the request ends (RFC 9112, 6).
std::optional<Rejection> framing_fault(const Fields& fields, int minor_version) {
  if (fields.length.count > 1) return Rejection{400, "a request must have at most one Content-Length"};
  if (fields.length.count > 0 && (fields.length.value.empty() || !all_digits(fields.length.value))) {
    return Rejection{400, "Content-Length must be a number in decimal digits"};
  }
  if (fields.coding.count == 0) return std::nullopt;
  if (fields.length.count > 0)
    return Rejection{400, "a request must not have both Content-Length and Transfer-Encoding"};
  if (minor_version == 0) return Rejection{400, "there is no Transfer-Encoding in HTTP/1.0"};
  if (fields.coding.count == 1 && same_ignoring_case(fields.coding.value, "chunked")) return std::nullopt;
  return Rejection{400, "the only Transfer-Encoding that is understood here is chunked, alone and once"};
}

/// The four forms of RFC 9112, 3.2, without authority form: there is no CONNECT.
std::optional<Rejection> target_fault(const RequestReader& reader, const Fields& fields) {
  const std::string_view target = reader.target();
  if (target.starts_with('/')) return std::nullopt;
  if (target == "*" && reader.method() == "OPTIONS") return std::nullopt;
  const size_t scheme_end = target.find("://");
  if (scheme_end == npos || !(same_ignoring_case(target.substr(0, scheme_end), "http") ||
                              same_ignoring_case(target.substr(0, scheme_end), "https"))) {
    return Rejection{400, "the request target must be a path that begins with / or an http URL"};
  }
  const std::string_view rest = target.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.empty() || !is_host(authority)) return Rejection{400, "the request target's host is not a host"};
  if (fields.host.count == 1 && !same_ignoring_case(authority, fields.host.value)) {
    return Rejection{400, "the request target and the Host header name different hosts"};
  }
  return std::nullopt;
}

}  // namespace

bool is_host(std::string_view text) {
  size_t length = 0;
  if (text.starts_with('[')) {
    length = std::min(text.find(']'), text.size() - 1) + 1;
    if (!is_ipv6_literal(text.substr(0, length))) return false;
  } else {
    length = registered_name_length(text);
  }
  if (length == text.size()) return true;
  // A port alone belongs to nobody.
  return length > 0 && text[length] == ':' && is_port(text.substr(length + 1));
}

std::optional<Rejection> field_fault(const RequestReader& reader) {
  const std::string_view method = reader.method();
  if (method == "CONNECT" || method == "TRACE") return Rejection{501, "this method is not known here"};
  const Fields fields(reader);
  if (auto fault = host_fault(fields, reader.minor_version())) return fault;
  if (auto fault = framing_fault(fields, reader.minor_version())) return fault;
  if (auto fault = target_fault(reader, fields)) return fault;
  // An expectation of HTTP/1.0 means nothing (RFC 9110, 10.1.1).
  if (fields.expect.count > 0 && reader.minor_version() > 0 &&
      (fields.expect.count > 1 || !same_ignoring_case(fields.expect.value, "100-continue"))) {
    return Rejection{417, "the only expectation that is met here is 100-continue"};
  }
  return std::nullopt;
}

}  // namespace cweb::http
