#include "http/websocket_extensions.h"

#include <algorithm>

#include "http/characters.h"

namespace cweb::http {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view blanks = " \t";

std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(blanks);
  if (first == npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Reads a header's value from the front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) { skip_blanks(); }

  bool at_end() const { return rest_.empty(); }
  /// Takes this character and the blanks behind it, when it is the next one.
  bool take(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }
  /// Empty when there is none.
  std::string_view token() {
    size_t length = 0;
    while (length < rest_.size() && http::is_token(rest_[length])) ++length;
    const std::string_view token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    skip_blanks();
    return token;
  }
  /// A token as it is or between quotes. Nothing when there is neither.
  std::optional<std::string> value() {
    std::string value;
    if (!rest_.starts_with('"')) {
      value = token();
    } else if (!quoted(value)) {
      return std::nullopt;
    }
    if (!http::is_token(std::string_view(value))) return std::nullopt;
    return value;
  }

 private:
  bool quoted(std::string& value) {
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        skip_blanks();
        return true;
      }
      if (rest_[i] == '\\') ++i;  // the next character is meant as it is
      if (i < rest_.size()) value += rest_[i];
    }
    return false;
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size())); }

  std::string_view rest_;
};

/// Behind the extension's name. False when a parameter is not well formed.
bool read_parameters(Scanner& scanner, std::vector<ExtensionParameter>& parameters) {
  while (scanner.take(';')) {
    ExtensionParameter parameter{.name = scanner.token(), .value = {}};
    if (parameter.name.empty()) return false;
    if (scanner.take('=')) {
      parameter.value = scanner.value();
      if (!parameter.value) return false;
    }
    parameters.push_back(std::move(parameter));
  }
  return true;
}

/// 8 to 15 in decimal, without a leading zero (RFC 7692, 7.1.2.1).
std::optional<int> window_bits(std::string_view text) {
  constexpr std::string_view digits = "0123456789";
  if (text == "8" || text == "9") return text[0] - '0';
  if (text.size() != 2 || text[0] != '1' || text[1] > '5' || digits.find(text[1]) == npos) return std::nullopt;
  return 10 + (text[1] - '0');
}

bool is_named_twice(const std::vector<ExtensionParameter>& parameters, std::string_view name) {
  return std::ranges::count(parameters, name, &ExtensionParameter::name) > 1;
}

/// Takes over what the parameter asks for. False when that cannot be met.
bool apply(const ExtensionParameter& parameter, DeflateOffer& wanted) {
  if (parameter.name == "server_no_context_takeover" || parameter.name == "client_no_context_takeover") {
    return !parameter.value;
  }
  if (parameter.name == "client_max_window_bits") {
    // A hint that the client can do with less: any window of its can be inflated here.
    return !parameter.value || window_bits(*parameter.value);
  }
  if (parameter.name != "server_max_window_bits" || !parameter.value) return false;
  constexpr int least_of_zlib = 9;
  wanted.server_window_bits = window_bits(*parameter.value);
  return wanted.server_window_bits.value_or(0) >= least_of_zlib;
}

}  // namespace

std::string_view next_element(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view element = list.substr(0, comma);
  list.remove_prefix(comma == npos ? list.size() : comma + 1);
  return without_blanks(element);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_token(c); });
}

bool read_extension_offers(std::string_view header, const std::function<void(const ExtensionOffer&)>& look) {
  Scanner scanner(header);
  bool is_empty = true;
  do {
    if (scanner.at_end()) break;
    ExtensionOffer offer{.name = scanner.token(), .parameters = {}};
    if (offer.name.empty()) continue;  // empty elements of a list are passed over (RFC 9110, 5.6.1.2)
    is_empty = false;
    if (!read_parameters(scanner, offer.parameters)) return false;
    look(offer);
  } while (scanner.take(','));
  return scanner.at_end() && !is_empty;
}

std::optional<DeflateOffer> deflate_offer(const ExtensionOffer& offer) {
  // More than there are: one is unknown, or there twice.
  constexpr size_t most_parameters = 4;
  if (offer.name != "permessage-deflate" || offer.parameters.size() > most_parameters) return std::nullopt;
  DeflateOffer wanted;
  for (const ExtensionParameter& parameter : offer.parameters) {
    if (is_named_twice(offer.parameters, parameter.name) || !apply(parameter, wanted)) return std::nullopt;
  }
  return wanted;
}

}  // namespace cweb::http
