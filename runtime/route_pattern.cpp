// Route patterns: POSIX extended regular expressions, matched by RE2 in time linear to the path, whatever it is.
#include <re2/re2.h>

#include "runtime/route_table.h"

namespace cweb::runtime {
namespace {

/// Instructions of RE2. Matching takes time linear to the path times this, on the loop and before any handler: an 8 KiB
/// path against a pattern at this bound takes some ten milliseconds at worst.
constexpr int most_instructions = 2'000;

class Re2Pattern final : public RoutePattern {
 public:
  explicit Re2Pattern(std::string_view text) : expression_(re2::StringPiece(text.data(), text.size()), options()) {}

  const re2::RE2& expression() const { return expression_; }

  bool matches(std::string_view path) const override {
    return re2::RE2::FullMatch(re2::StringPiece(path.data(), path.size()), expression_);
  }

 private:
  static re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_posix_syntax(true);
    options.set_perl_classes(true);
    options.set_word_boundary(true);
    options.set_one_line(true);
    // Paths are bytes: what is not UTF-8 must match `.` too.
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_max_mem(int64_t{1} << 20);
    return options;
  }

  re2::RE2 expression_;
};

}  // namespace

Expected<std::shared_ptr<const RoutePattern>> RoutePattern::compile(std::string_view pattern) {
  auto compiled = std::make_shared<Re2Pattern>(pattern);
  if (compiled->expression().ok()) {
    const int size = compiled->expression().ProgramSize();
    if (size <= most_instructions) return compiled;
    return fail("route pattern \"" + std::string(pattern) + "\" is too large: it comes to " + std::to_string(size) +
                " steps, and the limit is " + std::to_string(most_instructions) + " (repetitions multiply)");
  }
  const std::string& offender = compiled->expression().error_arg();
  const size_t place = offender.empty() ? std::string_view::npos : pattern.find(offender);
  std::string message = "route pattern \"" + std::string(pattern) + "\": " + compiled->expression().error();
  if (place != std::string_view::npos) message += " (at character " + std::to_string(place + 1) + ")";
  return fail(std::move(message));
}

bool is_pattern(std::string_view path) {
  return path.find_first_of(".[]()*+?{}^$|\\") != std::string_view::npos;
}

}  // namespace cweb::runtime
