#include "prometheus_text.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <sstream>

namespace cweb::e2e {
namespace {

constexpr const char* name_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of(name_characters) == std::string::npos &&
         (text[0] < '0' || text[0] > '9');
}

std::optional<double> read_number(const std::string& text) {
  if (text.empty() || text[0] == ' ') return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != '\0') return std::nullopt;
  return value;
}

std::string series_text(const MetricSample& sample) {
  std::string text = sample.name;
  for (const auto& [name, value] : sample.labels) text += "|" + name + "=" + value;
  return text;
}

/// The family that a sample of this name belongs to, given which families there are.
std::string family_of(const std::string& name, const std::map<std::string, MetricFamily>& families) {
  for (const char* suffix : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(suffix)) continue;
    const std::string base = name.substr(0, name.size() - std::string(suffix).size());
    const auto family = families.find(base);
    if (family != families.end() && family->second.type == "histogram") return base;
  }
  return name;
}

bool contains(const LabelMap& all, const LabelMap& wanted) {
  for (const auto& [name, value] : wanted) {
    const auto found = all.find(name);
    if (found == all.end() || found->second != value) return false;
  }
  return true;
}

}  // namespace

PrometheusText::PrometheusText(const std::string& text) {
  if (text.empty() || text.back() != '\n') fault("the last line has no end");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ++line_number_;
    if (line.starts_with('#')) {
      read_comment(line);
    } else {
      read_sample(line);
    }
  }
  line_number_ = 0;
  check_names();
}

void PrometheusText::fault(const std::string& sentence) {
  faults_.push_back((line_number_ > 0 ? "line " + std::to_string(line_number_) + ": " : "") + sentence);
}

void PrometheusText::read_comment(const std::string& line) {
  std::istringstream words(line);
  std::string hash, kind, name, rest;
  words >> hash >> kind >> name;
  std::getline(words >> std::ws, rest);
  if (!is_name(name) || rest.empty()) return fault("no comment of the format: " + line);
  if (kind == "HELP") {
    if (families_.contains(name)) fault(name + " is there twice");
    families_[name].help = rest;
    helped_ = name;
    current_.clear();
  } else if (kind == "TYPE") {
    if (helped_ != name) fault("the TYPE of " + name + " does not follow its HELP");
    if (rest != "counter" && rest != "gauge" && rest != "histogram") fault("there is no type " + rest);
    families_[name].type = rest;
    current_ = name;
    helped_.clear();
  } else {
    fault("a comment that is neither HELP nor TYPE: " + line);
  }
}

void PrometheusText::read_sample(const std::string& line) {
  MetricSample sample;
  size_t at = line.find_first_of("{ ");
  if (at == std::string::npos) return fault("neither comment nor sample: " + line);
  sample.name = line.substr(0, at);
  if (!is_name(sample.name)) fault("no name: " + sample.name);
  if (line[at] == '{' && !read_labels(line, at, sample.labels)) return;
  if (at >= line.size() || line[at] != ' ') return fault("no value behind " + line.substr(0, at));
  const auto value = read_number(line.substr(at + 1));
  if (!value) return fault("no number: " + line.substr(at + 1));
  sample.value = *value;
  const std::string family = family_of(sample.name, families_);
  if (family != current_) fault(sample.name + " is not of the family that HELP and TYPE announced");
  if (++series_[series_text(sample)] > 1) fault(line + " is there twice");
  families_[family].samples.push_back(std::move(sample));
}

/// From the opening brace behind the closing one.
bool PrometheusText::read_labels(const std::string& line, size_t& at, LabelMap& labels) {
  const auto refuse = [&](const char* why) { return fault(why + (": " + line)), false; };
  while (line[at] != '}') {
    const size_t equals = line.find('=', ++at);
    if (equals == std::string::npos || line[equals + 1] != '"') return refuse("a label without a value");
    const std::string name = line.substr(at, equals - at);
    if (!is_name(name)) return refuse("a label without a name");
    std::string value;
    for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] != '\\') {
        value += line[at];
        continue;
      }
      const char escaped = at + 1 < line.size() ? line[++at] : '\0';
      if (escaped != '\\' && escaped != '"' && escaped != 'n') return refuse("an escape that the format does not have");
      value += escaped == 'n' ? '\n' : escaped;
    }
    if (!labels.emplace(name, value).second) return refuse("a label twice");
    if (++at >= line.size() || (line[at] != ',' && line[at] != '}')) return refuse("labels without an end");
  }
  ++at;
  return true;
}

void PrometheusText::check_names() {
  for (const auto& [name, family] : families_) {
    if (family.type.empty()) fault(name + " has no TYPE");
    if ((family.type == "counter") != name.ends_with("_total")) fault(name + " is a " + family.type);
    for (const char* unit : {"_ms", "_us", "_milliseconds", "_kb", "_mb", "_kilobytes"}) {
      if (name.find(unit) != std::string::npos) fault(name + " is not in a base unit");
    }
    for (const MetricSample& sample : family.samples) {
      if (family.type != "gauge" && !(sample.value >= 0)) fault(series_text(sample) + " is negative");
    }
    if (family.type == "histogram") check_histogram(name, family);
  }
}

void PrometheusText::check_histogram(const std::string& name, const MetricFamily& family) {
  struct Histogram {
    double last_bound = -std::numeric_limits<double>::infinity();
    double last_count = 0;
    std::optional<double> sum, count;
  };
  std::map<LabelMap, Histogram> histograms;
  for (const MetricSample& sample : family.samples) {
    LabelMap labels = sample.labels;
    const auto le = labels.extract("le");
    Histogram& histogram = histograms[labels];
    if (sample.name == name + "_sum") {
      histogram.sum = sample.value;
    } else if (sample.name == name + "_count") {
      histogram.count = sample.value;
    } else if (sample.name == name + "_bucket" && !le.empty()) {
      const auto bound = read_number(le.mapped());
      if (!bound || !(*bound > histogram.last_bound)) fault(series_text(sample) + ": bounds must rise");
      if (sample.value < histogram.last_count) fault(series_text(sample) + ": buckets must be cumulative");
      histogram.last_bound = bound.value_or(0);
      histogram.last_count = sample.value;
    } else {
      fault(series_text(sample) + " is no part of a histogram");
    }
  }
  for (const auto& [labels, histogram] : histograms) {
    if (!std::isinf(histogram.last_bound)) fault(name + " has no bucket without a bound");
    if (!histogram.sum || !histogram.count) fault(name + " has no sum or no count");
    if (histogram.count != histogram.last_count) fault(name + " counts otherwise than its last bucket");
    if (histogram.count == 0.0 && histogram.sum != 0.0) fault(name + " is empty and has a sum");
  }
}

double PrometheusText::sum(const std::string& name, const LabelMap& labels) const {
  const auto family = families_.find(family_of(name, families_));
  if (family == families_.end()) return -1;
  double sum = 0;
  bool found = false;
  for (const MetricSample& sample : family->second.samples) {
    if (sample.name != name || !contains(sample.labels, labels)) continue;
    sum += sample.value;
    found = true;
  }
  return found ? sum : -1;
}

std::vector<std::string> PrometheusText::values_of(const std::string& label) const {
  std::vector<std::string> values;
  for (const auto& [name, family] : families_) {
    for (const MetricSample& sample : family.samples) {
      const auto found = sample.labels.find(label);
      if (found != sample.labels.end()) values.push_back(found->second);
    }
  }
  return values;
}

std::vector<std::string> PrometheusText::falls_since(const PrometheusText& earlier) const {
  std::vector<std::string> falls;
  std::map<std::string, double> before;
  for (const auto& [name, family] : earlier.families_) {
    if (family.type == "gauge") continue;
    for (const MetricSample& sample : family.samples) before[series_text(sample)] = sample.value;
  }
  for (const auto& [name, family] : families_) {
    for (const MetricSample& sample : family.samples) {
      const auto then = before.find(series_text(sample));
      if (then != before.end() && sample.value < then->second) {
        falls.push_back(then->first + " fell from " + std::to_string(then->second) + " to " +
                        std::to_string(sample.value));
      }
    }
  }
  return falls;
}

}  // namespace cweb::e2e
