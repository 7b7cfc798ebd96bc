#include "mgnt/module_name.h"

namespace cweb::mgnt {
namespace {

bool is_identifier_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_identifier_part(char c) {
  return is_identifier_start(c) || (c >= '0' && c <= '9');
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

struct Token {
  enum class Kind { end, identifier, string, other };
  Kind kind = Kind::end;
  std::string_view text;  ///< of a string: without its quotes
};

/// Splits C text into tokens as far as it matters here.
class Tokens {
 public:
  explicit Tokens(std::string_view source) : rest_(source) {}

  Token next() {
    skip_blanks_and_comments();
    if (rest_.empty()) return {};
    const char first = rest_.front();
    if (first == '"' || first == '\'') return quoted(first);
    size_t length = 1;
    if (is_identifier_start(first)) {
      while (length < rest_.size() && is_identifier_part(rest_[length])) ++length;
      return take(Token::Kind::identifier, length);
    }
    return take(Token::Kind::other, length);
  }

 private:
  Token take(Token::Kind kind, size_t length) {
    const Token token{kind, rest_.substr(0, length)};
    rest_.remove_prefix(length);
    return token;
  }

  Token quoted(char quote) {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote && rest_[end] != '\n') {
      end += rest_[end] == '\\' && end + 1 < rest_.size() ? 2 : 1;
    }
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end < rest_.size() ? end + 1 : rest_.size());
    return {quote == '"' ? Token::Kind::string : Token::Kind::other, text};
  }

  void skip_blanks_and_comments() {
    while (!rest_.empty()) {
      if (is_space(rest_.front())) {
        rest_.remove_prefix(1);
      } else if (rest_.starts_with("//")) {
        const size_t end = rest_.find('\n');
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
      } else if (rest_.starts_with("/*")) {
        const size_t end = rest_.find("*/", 2);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
      } else {
        return;
      }
    }
  }

  std::string_view rest_;
};

bool is(const Token& token, std::string_view text) {
  return (token.kind == Token::Kind::identifier || token.kind == Token::Kind::other) && token.text == text;
}

}  // namespace

std::string guess_module_name(std::string_view source) {
  Tokens tokens(source);
  std::string first_name;
  bool inside_config = false;
  Token before_previous, previous, current = tokens.next();
  for (; current.kind != Token::Kind::end; before_previous = previous, previous = current, current = tokens.next()) {
    if (!is(current, "=")) continue;
    if (is(previous, "config")) inside_config = true;
    if (!is(previous, "name") || !is(before_previous, ".")) continue;
    const Token name = tokens.next();
    const Token behind = tokens.next();
    const bool plain = name.kind == Token::Kind::string && (is(behind, ",") || is(behind, "}")) &&
                       name.text.find('\\') == std::string_view::npos;
    if (inside_config) return plain ? std::string(name.text) : std::string();
    if (plain && first_name.empty()) first_name = name.text;
    previous = name;
    current = behind;
  }
  return first_name;
}

}  // namespace cweb::mgnt
