#include "cli/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "cli/suggestion.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

/// The command that has this option: the one that was named, or when none was, the first; null when there is none.
const CLI::App* command_with(const CLI::App& app, const CLI::App& asked, const std::string& option) {
  if (&asked != &app) return asked.get_option_no_throw(option) == nullptr ? nullptr : &asked;
  const auto having =
      app.get_subcommands([&](const CLI::App* each) { return each->get_option_no_throw(option) != nullptr; });
  return having.empty() ? nullptr : having.front();
}

}  // namespace

const char* const usage_examples =
    "The first minute:\n"
    "  cweb run modules/mandelbrot.c          a server for this file, in this terminal\n"
    "  cweb new hello                         a module of your own\n"
    "With a server that stays:\n"
    "  cweb serve --modules ~/modules         it keeps what is deployed\n"
    "  cweb deploy hello.c                    compile a file on it, and make it live\n"
    "  cweb watch hello.c                     the same at every save\n"
    "  cweb logs -f                           what modules print, as they do\n"
    "  cweb list                              what is live\n"
    "  cweb rollback hello                    back to the version before\n"
    "`cweb COMMAND --help` tells about one command.";

const char* const serve_examples =
    "Examples:\n"
    "  cweb serve                             for this machine alone; nothing that is deployed is kept\n"
    "  cweb serve --modules ~/modules         it is kept in this directory\n"
    "  CWEB_ADMIN_KEY=... cweb serve --production --cert server.crt --key server.key\n"
    "Ctrl-C ends it when the requests under way have their answers.";

const char* const health_examples =
    "Examples:\n"
    "  cweb health && echo it serves\n"
    "  cweb health --port 9000";

const CLI::App& asked_command(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

std::optional<std::string> empty_option_sentence(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2) return std::nullopt;
  const auto commands = app.get_subcommands([&](const CLI::App* each) { return each->get_name() == argv[1]; });
  for (int i = 2; i < argc && !commands.empty(); ++i) {
    const std::string argument = argv[i];
    if (argument == "--") break;
    if (!argument.starts_with("--") || !argument.ends_with('=')) continue;
    const CLI::Option* const option = commands.front()->get_option_no_throw(argument.substr(0, argument.size() - 1));
    if (option == nullptr || option->get_items_expected_max() == 0) continue;
    return commands.front()->get_name() + ": " + argument + " has no value: is the variable behind it not set?";
  }
  return std::nullopt;
}

std::string usage_sentence(const CLI::App& app, int argc, const char* const* argv, const CLI::ParseError& error) {
  const CLI::App& command = asked_command(app);
  const std::string name = &command == &app ? "cweb" : "cweb " + command.get_name();
  const std::string see = " (" + name + " --help tells more)";
  if (&command == &app && argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> names;
    for (const CLI::App* each : app.get_subcommands({})) names.push_back(each->get_name());
    return unknown_sentence("command", argv[1], names) + see;
  }
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  const auto option =
      std::find_if(unknown.begin(), unknown.end(), [](const auto& text) { return text.starts_with("-"); });
  if (option != unknown.end()) {
    const std::string shown = one_line(option->substr(0, option->find('=')));
    if (const CLI::App* const has_it = command_with(app, command, shown)) {
      return shown + " goes behind the command: cweb " + has_it->get_name() + " " + shown + see;
    }
    std::vector<std::string> names;
    for (const CLI::Option* each : command.get_options()) {
      for (const std::string& long_name : each->get_lnames()) names.push_back("--" + long_name);
    }
    return unknown_sentence("option", shown, names) + see;
  }
  return (&command == &app ? "" : command.get_name() + ": ") + error.what() + see;
}

}  // namespace cweb::cli
