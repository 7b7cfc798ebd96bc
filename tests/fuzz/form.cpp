// Form bodies: multipart and urlencoded. The first line is the Content-Type, the rest is the body.
#include "http/form.h"

#include <optional>

#include "base/error.h"
#include "fuzz/support/input.h"

namespace {

using namespace cweb;

using Pairs = std::vector<std::pair<std::string, std::string>>;

int digit(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const size_t at = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c);
  return at == digits.npos ? -1 : static_cast<int>(at);
}

/// A second decoder: builds a new text where the server's works in place.
std::string decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  while (!text.empty()) {
    const bool is_code = text.size() >= 3 && text[0] == '%' && digit(text[1]) >= 0 && digit(text[2]) >= 0;
    decoded += is_code                           ? static_cast<char>(digit(text[1]) << 4 | digit(text[2]))
               : text[0] == '+' && plus_is_space ? ' '
                                                 : text[0];
    text.remove_prefix(is_code ? 3 : 1);
  }
  return decoded;
}

std::string encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    (encoded += '%') += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

void check_urlencoded(std::string_view body) {
  for (const http::Plus plus : {http::Plus::is_space, http::Plus::is_plus}) {
    CWEB_ASSERT(http::percent_decode(body, plus) == decode(body, plus == http::Plus::is_space));
  }
  const Expected<Pairs> fields = http::parse_urlencoded(body);
  if (!fields) return;
  CWEB_ASSERT(fields->size() <= http::max_form_fields);
  std::string again;
  for (const auto& [name, value] : *fields) again += encode(name) + "=" + encode(value) + "&";
  const Expected<Pairs> reread = http::parse_urlencoded(again);
  CWEB_ASSERT(reread.has_value() && *reread == *fields);
}

/// May this stand between the quotes of a parameter as it is?
bool needs_no_escape(std::string_view text) {
  return text.find_first_of("\"\\\r\n") == text.npos;
}

/// The same fields as a body that any client might send; nothing where they cannot be written plainly.
std::optional<std::string> compose(const std::vector<http::FormField>& fields, const std::string& boundary) {
  std::string body;
  for (const http::FormField& field : fields) {
    const std::string head = "Content-Disposition: form-data; name=\"" + field.name + "\"";
    if (!needs_no_escape(field.name) || head.size() > 4096) return std::nullopt;
    body += "--" + boundary + "\r\n" + head + "\r\n\r\n" + field.value + "\r\n";
  }
  return body + "--" + boundary + "--\r\n";
}

void check_multipart(std::string_view content_type, std::string_view body) {
  const auto fields = http::parse_multipart(content_type, body);
  if (!fields) {
    CWEB_ASSERT(!fields.error().message.empty());
    return;
  }
  std::string boundary;
  CWEB_ASSERT(http::header_parameter(content_type, "boundary", boundary) && !boundary.empty());
  CWEB_ASSERT(fields->size() <= http::max_form_fields);
  size_t bytes = 0;
  for (const http::FormField& field : *fields) {
    bytes += field.value.size() + field.name.size();
    CWEB_ASSERT(body.find(field.value) != body.npos);
    CWEB_ASSERT(("\r\n" + field.value + "\r\n").find("\r\n--" + boundary + "\r\n") == std::string::npos);
  }
  CWEB_ASSERT(bytes <= body.size());
  const std::optional<std::string> again = compose(*fields, boundary);
  if (!again || fields->empty()) return;
  const auto reread = http::parse_multipart(content_type, *again);
  CWEB_ASSERT(reread.has_value() && reread->size() == fields->size());
  for (size_t i = 0; i < fields->size(); ++i) {
    CWEB_ASSERT((*reread)[i].name == (*fields)[i].name && (*reread)[i].value == (*fields)[i].value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const std::string_view content_type = input.line();
  const std::string type = http::media_type(content_type);
  CWEB_ASSERT(type.size() <= content_type.size() && type.find(';') == type.npos);
  check_multipart(content_type, input.rest());
  check_urlencoded(input.rest());
  return 0;
}
