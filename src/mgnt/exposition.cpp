#include "mgnt/exposition.h"

#include <fmt/format.h>

#include "base/error.h"

namespace cweb::mgnt {
namespace {

const char* to_string(Exposition::Type type) {
  switch (type) {
    case Exposition::Type::counter:
      return "counter";
    case Exposition::Type::gauge:
      return "gauge";
    case Exposition::Type::histogram:
      return "histogram";
  }
  return "untyped";
}

/// Bytes of the UTF-8 sequence at the start of `text`, or 0 when there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xC2 && byte(0) < 0xE0) return continues(1) ? 2 : 0;
  if (byte(0) >= 0xE0 && byte(0) < 0xF0) {
    const bool overlong = byte(0) == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = byte(0) == 0xED && byte(1) >= 0xA0;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (byte(0) >= 0xF0 && byte(0) < 0xF5) {
    const bool overlong = byte(0) == 0xF0 && byte(1) < 0x90;
    const bool beyond = byte(0) == 0xF4 && byte(1) >= 0x90;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// A label's value. The format is UTF-8, and one byte that is not spoils the whole answer: such bytes are shown as
/// \xHH.
void append_label_value(std::string& text, std::string_view value) {
  while (!value.empty()) {
    const size_t length = utf8_length(value);
    if (length == 0) {
      text += fmt::format("\\\\x{:02x}", static_cast<unsigned char>(value.front()));
    } else if (value.front() == '\n') {
      text += "\\n";
    } else {
      if (value.front() == '\\' || value.front() == '"') text += '\\';
      text += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  family_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, to_string(type));
}

void Exposition::begin_sample(std::string_view suffix, Labels labels, std::string_view bound) {
  text_ += family_;
  text_ += suffix;
  char separator = '{';
  const auto add = [&](std::string_view name, std::string_view value) {
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    append_label_value(text_, value);
    text_ += '"';
    separator = ',';
  };
  for (const auto& [name, value] : labels) add(name, value);
  if (!bound.empty()) add("le", bound);
  if (separator == ',') text_ += '}';
  text_ += ' ';
}

void Exposition::sample(uint64_t value, Labels labels) {
  begin_sample({}, labels);
  text_ += fmt::format("{}\n", value);
}

void Exposition::sample_seconds(double value, Labels labels) {
  begin_sample({}, labels);
  text_ += fmt::format("{}\n", value);
}

void Exposition::histogram(std::span<const double> bounds, std::span<const uint64_t> counts, double sum,
                           Labels labels) {
  CWEB_ASSERT(counts.size() == bounds.size() + 1);
  uint64_t below = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    begin_sample("_bucket", labels, i < bounds.size() ? fmt::format("{}", bounds[i]) : "+Inf");
    text_ += fmt::format("{}\n", below);
  }
  begin_sample("_sum", labels);
  text_ += fmt::format("{}\n", sum);
  begin_sample("_count", labels);
  text_ += fmt::format("{}\n", below);
}

}  // namespace cweb::mgnt
