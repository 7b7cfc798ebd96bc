// Prometheus' text format (version 0.0.4), read more strictly than Prometheus does: what a scraper only tolerates is a
// fault here.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace cweb::e2e {

using LabelMap = std::map<std::string, std::string>;

struct MetricSample {
  std::string name;
  LabelMap labels;
  double value = 0;
};

struct MetricFamily {
  std::string type;
  std::string help;
  std::vector<MetricSample> samples;
};

class PrometheusText {
 public:
  explicit PrometheusText(const std::string& text);

  /// What is wrong with the text, one sentence each; empty when nothing is.
  const std::vector<std::string>& faults() const { return faults_; }
  const std::map<std::string, MetricFamily>& families() const { return families_; }

  /// The sum of the samples of this name that have all of these labels; -1 when there is none.
  double sum(const std::string& name, const LabelMap& labels = {}) const;
  bool has(const std::string& name, const LabelMap& labels = {}) const { return sum(name, labels) >= 0; }
  /// All values of a label, over all families.
  std::vector<std::string> values_of(const std::string& label) const;

  /// What must not have happened between an earlier text of the same server and this one: one sentence for each counter
  /// that has fallen.
  std::vector<std::string> falls_since(const PrometheusText& earlier) const;

 private:
  void fault(const std::string& sentence);
  void read_comment(const std::string& line);
  void read_sample(const std::string& line);
  bool read_labels(const std::string& line, size_t& at, LabelMap& labels);
  void check_names();
  void check_histogram(const std::string& name, const MetricFamily& family);

  std::vector<std::string> faults_;
  std::map<std::string, MetricFamily> families_;
  std::map<std::string, int> series_;  ///< how often each was there
  std::string current_;                ///< the family whose samples may follow
  std::string helped_;                 ///< the family whose TYPE has to follow
  size_t line_number_ = 0;
};

}  // namespace cweb::e2e
