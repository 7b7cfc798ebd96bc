// `cweb deploy`, and deploying one file, which others do as well.
#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "cli/client.h"
#include "cli/client_options.h"
#include "cli/report_text.h"
#include "cli/small_file.h"

namespace cweb::cli {

/// What a deploy command is about.
struct DeployPlan {
  std::vector<std::string> files;  ///< none of them twice; "-" is standard input
  std::string ini_url;             ///< the server that the ini names; empty: none
};

/// What a command cannot begin with.
struct BadBeginning {
  std::string message;  ///< whole lines
  int exit_code = 1;
};

/// Reads the ini where one is needed.
std::expected<DeployPlan, BadBeginning> plan_deploy(const ClientCommand& command);

/// A source to deploy: not empty, and not longer than a server takes.
std::expected<std::string, FileFault> read_source(const std::string& file, FileKind kind = FileKind::any);

/// The source as the user calls it.
std::string shown_file(const std::string& file);

/// Sends a source. Fails with a sentence when the server does not answer or refuses to speak at all: another file would
/// come to the same.
/// `cancelled`, `meanwhile`: see Call.
Expected<HttpAnswer> send_source(Client& client, const std::string& source, bool check_only,
                                 const std::atomic<bool>* cancelled = nullptr, std::function<void()> meanwhile = {});

/// Deploys what is planned. The exit code.
int run_deploy(Client& client, const ClientCommand& command, const DeployPlan& plan);

}  // namespace cweb::cli
