// Deploys as the tests speak of them: source in, report out; and the small modules that several tests use.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "http_client.h"

namespace cweb::e2e {

/// The JSON answer of a deploy.
struct DeployAnswer {
  long status = 0;
  nlohmann::json report;
  std::string text;  ///< the answer as it came
  double elapsed_ms = 0;

  std::string outcome() const;  ///< "deployed", "unchanged", "checked" or "failed"
  std::string stage() const;    ///< of a failure
  std::string error() const;    ///< of a failure
  unsigned version() const;     ///< 0 when none is told
  bool deployed() const { return status == 200 && outcome() == "deployed"; }
  /// Every sentence of the answer that a person would read: error, diagnostics, notices.
  std::string all_sentences() const;
};
/// For failure messages.
std::ostream& operator<<(std::ostream& out, const DeployAnswer& answer);

/// POST /mgnt, asking for JSON.
DeployAnswer deploy(HttpClient& client, const std::string& source, const std::string& query = {});
/// The same on a connection of its own.
DeployAnswer deploy(uint16_t port, const std::string& source, const std::string& query = {});

/// What GET /mgnt/modules/NAME tells; null when there is no such module.
nlohmann::json module_status(HttpClient& client, const std::string& name);
/// Older versions of a live module that are not gone yet; -1 when there is no such module.
long draining_versions(HttpClient& client, const std::string& name);

/// Replaces each @NAME@ in a module's text.
std::string fill_in(std::string text, const std::vector<std::pair<std::string, std::string>>& values);

/// A module of one route: GET `path` answers `text`.
std::string answering_module(const std::string& name, const std::string& path, const std::string& text);
/// A module that counts the calls of GET `path` from 1: "count 1".
std::string counting_module(const std::string& name, const std::string& path);

/// A module of the route GET /NAME, whose onload, on line 3, prints "loading NAME" and runs these statements.
std::string loading_module(const std::string& name, const std::string& statements);

/// The last whole number in a text, or -1.
long last_number(const std::string& text);

}  // namespace cweb::e2e
