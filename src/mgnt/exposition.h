// Prometheus' text format, version 0.0.4: families of samples, each with its HELP and TYPE in front.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cweb::mgnt {

/// Names and values of a series. A value may be any bytes.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Exposition {
 public:
  enum class Type { counter, gauge, histogram };

  /// The samples that follow are of this family. Each family once, each series once in its family.
  void family(std::string_view name, Type type, std::string_view help);

  void sample(uint64_t value, Labels labels = {});
  void sample_seconds(double value, Labels labels = {});
  /// `counts` by bucket, not cumulated: one for each of `bounds` and one for what is above.
  void histogram(std::span<const double> bounds, std::span<const uint64_t> counts, double sum, Labels labels = {});

  std::string take() { return std::move(text_); }

 private:
  void begin_sample(std::string_view suffix, Labels labels, std::string_view bound = {});

  std::string text_;
  std::string family_;
};

}  // namespace cweb::mgnt
