#include "cli/deploy_command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/client_failure.h"
#include "cli/output.h"
#include "cli/routes_ini.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

/// jit/compiler's bound.
constexpr size_t longest_source = size_t{4} << 20;
constexpr int usage_error = 2;

std::unexpected<BadBeginning> bad(std::string sentence, int exit_code) {
  return std::unexpected(BadBeginning{"cweb: " + std::move(sentence) + "\n", exit_code});
}

std::expected<DeployPlan, BadBeginning> plan_by_ini(const std::string& path) {
  const auto ini = read_routes_ini(path);
  if (!ini) return bad(ini.error().message, 1);
  BadBeginning problems;
  for (const std::string& problem : ini->problems) problems.message += "cweb: " + problem + "\n";
  if (!ini->problems.empty()) return std::unexpected(problems);
  if (ini->files.empty()) {
    return bad(one_line(path) + " lists no files: below [modules] each line is the path of a C file", 1);
  }
  return DeployPlan{.files = without_repetition(ini->files), .ini_url = ini->server_url};
}

bool colours_of_messages() {
  static const bool colours = wants_colours(STDERR_FILENO);
  return colours;
}

/// An object of `cweb deploy --json`: `report` with the file as it was typed before it.
void print_json(const std::string& file, const nlohmann::ordered_json& report) {
  nlohmann::ordered_json told = {{"file", file}};
  told.update(report);
  told["file"] = file;
  print_foreign(told.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

/// The answer to one file, told. Fails like send_source.
Expected<bool> tell(const Client& client, const ClientCommand& command, const std::string& file,
                    const std::string& source, const HttpAnswer& answer) {
  const auto report = json_of_answer(client.address(), answer);
  if (!report) return std::unexpected(report.error());
  const ReportText told = report_text(*report, shown_file(file), source, colours_of_messages());
  const bool succeeded = told.succeeded && answer.status == 200;
  if (command.json) {
    // Read again, in its own order; it is an object.
    print_json(file, nlohmann::ordered_json::parse(answer.body, nullptr, /*allow_exceptions=*/false));
    return succeeded;
  }
  print_message(told.messages);
  print(told.result);
  return succeeded;
}

}  // namespace

std::expected<DeployPlan, BadBeginning> plan_deploy(const ClientCommand& command) {
  const auto is_ini = [](const std::string& file) { return file.ends_with(".ini"); };
  const auto ini = std::find_if(command.files.begin(), command.files.end(), is_ini);
  if (ini != command.files.end()) {
    return bad(one_line(*ini) + " is no C file: to deploy what it lists, say `cweb deploy -c " + one_line(*ini) + "`",
               usage_error);
  }
  if (!command.files.empty()) {
    // One that was asked for has to be there; the usual one need not.
    if (!command.ini.empty() && access(command.ini.c_str(), R_OK) != 0) {
      return bad(one_line(command.ini) + ": " + std::strerror(errno), 1);
    }
    DeployPlan plan{.files = without_repetition(command.files), .ini_url = {}};
    // The files are named; all that an ini can add is the server.
    auto url = server_of_ini(command.ini.empty() ? default_ini : command.ini);
    if (!url && command.server.url.empty()) return bad(url.error().message, 1);
    if (url) plan.ini_url = std::move(*url);
    return plan;
  }
  if (!command.ini.empty()) return plan_by_ini(command.ini);
  std::error_code error;
  if (!std::filesystem::exists(default_ini, error)) {
    return bad("there is nothing to deploy: name files (`cweb deploy FILE.c`), or list them in a routes.ini here",
               usage_error);
  }
  return plan_by_ini(default_ini);
}

std::string shown_file(const std::string& file) {
  return file == "-" ? "<stdin>" : one_line(file);
}

std::expected<std::string, FileFault> read_source(const std::string& file, FileKind kind) {
  auto source = read_small_file(file, longest_source, kind);
  if (source && source->empty()) return std::unexpected(FileFault{shown_file(file) + ": the file is empty", 0});
  return source;
}

Expected<HttpAnswer> send_source(Client& client, const std::string& source, bool check_only,
                                 const std::atomic<bool>* cancelled, std::function<void()> meanwhile) {
  return client.call({.method = "POST",
                      .path = check_only ? "/mgnt?check=1" : "/mgnt",
                      .body = source,
                      .type = "text/x-c",
                      .cancelled = cancelled,
                      .meanwhile = std::move(meanwhile)});
}

int run_deploy(Client& client, const ClientCommand& command, const DeployPlan& plan) {
  bool all_succeeded = true;
  for (const std::string& file : plan.files) {
    const auto source = read_source(file);
    if (!source) {
      const std::string& sentence = source.error().sentence;
      command.json ? print_json(file, {{"status", "failed"}, {"error", sentence}}) : complain(sentence);
      all_succeeded = false;
      continue;
    }
    const auto answer = send_source(client, *source, command.check_only);
    const auto told = answer ? tell(client, command, file, *source, *answer) : std::unexpected(answer.error());
    if (!told) {
      complain(told.error().message);
      return 1;
    }
    all_succeeded = all_succeeded && *told;
  }
  return all_succeeded ? 0 : 1;
}

}  // namespace cweb::cli
