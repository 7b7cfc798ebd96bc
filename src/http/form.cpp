#include "http/form.h"

#include <optional>

namespace cweb::http {
namespace {

constexpr size_t max_boundary_length = 70;  // RFC 2046 5.1.1
constexpr size_t max_part_head_bytes = 8'192;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Reads a quoted string whose opening quote is gone; leaves `text` behind the closing one. Only `\"` and `\\` are
/// escapes: browsers once sent whole Windows paths as file names.
std::string take_quoted(std::string_view& text) {
  std::string value;
  size_t i = 0;
  while (i < text.size() && text[i] != '"') {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    value += text[i++];
  }
  text.remove_prefix(i < text.size() ? i + 1 : i);
  return value;
}

std::unexpected<Error> too_many_fields() {
  return fail("the form has more than " + std::to_string(max_form_fields) + " fields");
}

/// The head of one part: the lines up to the empty one. Fails when a line is not a header.
Expected<FormField> parse_part_head(std::string_view head, size_t part_number) {
  const std::string which = "part " + std::to_string(part_number) + " of the multipart body";
  FormField field;
  bool named = false;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return fail(which + " has a header line without a colon");
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(name, "content-disposition")) {
      named = header_parameter(value, "name", field.name);
      header_parameter(value, "filename", field.filename);
    } else if (equals_ignoring_case(name, "content-type")) {
      field.content_type = value;
    }
  }
  if (!named) return fail(which + " has no name: expected Content-Disposition: form-data; name=\"...\"");
  return field;
}

/// A delimiter line found in the body.
struct Delimiter {
  size_t begin = 0;  ///< where the part before it ends
  size_t end = 0;    ///< where the part behind it begins
  bool is_last = false;
};

/// The next line that is the boundary, at or behind `from`. Text that only begins like the boundary is content.
std::optional<Delimiter> find_delimiter(std::string_view body, std::string_view dashes_and_boundary, size_t from) {
  for (size_t at = from; (at = body.find(dashes_and_boundary, at)) != std::string_view::npos; ++at) {
    const bool begins_a_line = at == 0 || (at >= from + 2 && body.substr(at - 2, 2) == "\r\n");
    if (!begins_a_line) continue;
    Delimiter found;
    found.begin = at == 0 ? 0 : at - 2;
    size_t next = at + dashes_and_boundary.size();
    if (body.substr(next, 2) == "--") {
      found.is_last = true;
      found.end = next + 2;
      return found;
    }
    while (next < body.size() && (body[next] == ' ' || body[next] == '\t')) ++next;
    if (body.substr(next, 2) != "\r\n") continue;
    found.end = next + 2;
    return found;
  }
  return std::nullopt;
}

}  // namespace

size_t percent_decode_in_place(char* text, size_t length, Plus plus) {
  size_t out = 0;
  for (size_t in = 0; in < length; ++in) {
    char c = text[in];
    if (c == '+' && plus == Plus::is_space) {
      c = ' ';
    } else if (c == '%' && length - in > 2) {
      const int high = hex_digit(text[in + 1]);
      const int low = hex_digit(text[in + 2]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        in += 2;
      }
    }
    text[out++] = c;
  }
  return out;
}

std::string percent_decode(std::string_view text, Plus plus) {
  std::string decoded(text);
  decoded.resize(percent_decode_in_place(decoded.data(), decoded.size(), plus));
  return decoded;
}

std::string media_type(std::string_view content_type) {
  std::string type(trim(content_type.substr(0, content_type.find(';'))));
  for (char& c : type) c = lower(c);
  return type;
}

bool header_parameter(std::string_view header, std::string_view name, std::string& value) {
  const size_t first = header.find(';');
  if (first == std::string_view::npos) return false;
  header.remove_prefix(first);
  while (!header.empty()) {
    header.remove_prefix(1);  // the ';'
    const size_t name_end = header.find_first_of("=;");
    if (name_end == std::string_view::npos) return false;
    const bool has_value = header[name_end] == '=';
    const bool matches = has_value && equals_ignoring_case(trim(header.substr(0, name_end)), name);
    header.remove_prefix(has_value ? name_end + 1 : name_end);
    if (!has_value) continue;
    while (!header.empty() && (header.front() == ' ' || header.front() == '\t')) header.remove_prefix(1);
    std::string found;
    if (!header.empty() && header.front() == '"') {
      header.remove_prefix(1);
      found = take_quoted(header);
    } else {
      found = trim(header.substr(0, header.find(';')));
    }
    if (matches) {
      value = std::move(found);
      return true;
    }
    const size_t next = header.find(';');
    header.remove_prefix(next == std::string_view::npos ? header.size() : next);
  }
  return false;
}

Expected<std::vector<std::pair<std::string, std::string>>> parse_urlencoded(std::string_view body) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!body.empty()) {
    const size_t end = body.find('&');
    const std::string_view piece = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    if (piece.empty()) continue;
    if (fields.size() == max_form_fields) return too_many_fields();
    const size_t equals = piece.find('=');
    fields.emplace_back(percent_decode(piece.substr(0, equals)),
                        equals == std::string_view::npos ? std::string() : percent_decode(piece.substr(equals + 1)));
  }
  return fields;
}

Expected<std::vector<FormField>> parse_multipart(std::string_view content_type, std::string_view body) {
  std::string boundary;
  if (!header_parameter(content_type, "boundary", boundary) || boundary.empty()) {
    return fail("the Content-Type of the multipart body has no boundary parameter");
  }
  if (boundary.size() > max_boundary_length) {
    return fail("the boundary of the multipart body is " + std::to_string(boundary.size()) +
                " characters long; at most " + std::to_string(max_boundary_length) + " are allowed");
  }
  const std::string delimiter_text = "--" + boundary;
  std::optional<Delimiter> delimiter = find_delimiter(body, delimiter_text, 0);
  if (!delimiter) return fail("the multipart body does not contain its boundary \"" + boundary + "\"");
  std::vector<FormField> fields;
  while (!delimiter->is_last) {
    if (fields.size() == max_form_fields) return too_many_fields();
    const std::optional<Delimiter> next = find_delimiter(body, delimiter_text, delimiter->end);
    if (!next) return fail("the multipart body ends in the middle: its closing boundary is missing");
    const std::string_view part = body.substr(delimiter->end, next->begin - delimiter->end);
    const size_t head_end = part.find("\r\n\r\n");
    if (head_end == std::string_view::npos || head_end > max_part_head_bytes) {
      return fail("part " + std::to_string(fields.size() + 1) +
                  " of the multipart body has no empty line behind its headers");
    }
    auto field = parse_part_head(part.substr(0, head_end), fields.size() + 1);
    if (!field) return std::unexpected(field.error());
    field->value = part.substr(head_end + 4);
    fields.push_back(std::move(*field));
    delimiter = next;
  }
  return fields;
}

}  // namespace cweb::http
