#include "cli/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "cli/suggestion.h"

namespace cweb::cli {

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
    std::vector<std::string> names;
    for (const CLI::Option* each : command.get_options()) {
      for (const std::string& long_name : each->get_lnames()) names.push_back("--" + long_name);
    }
    return unknown_sentence("option", option->substr(0, option->find('=')), names) + see;
  }
  return (&command == &app ? "" : command.get_name() + ": ") + error.what() + see;
}

}  // namespace cweb::cli
