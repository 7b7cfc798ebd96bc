#include "cli/client_options.h"

#include <CLI/CLI.hpp>

namespace cweb::cli {
namespace {

using What = ClientCommand::What;

std::string is_named(const std::string& text) {
  return text.empty() ? "it is empty" : "";
}

void add_server_options(CLI::App& command, ClientCommand& said) {
  command
      .add_option("--server", said.server.url,
                  "the server, as http://HOST:PORT; or CWEB_SERVER, server_url= of routes.ini; http://localhost:8080")
      ->check(is_named)
      ->type_name("URL");
  command
      .add_option("--key", said.server.key,
                  "its admin key, for all who can list processes to see; or CWEB_ADMIN_KEY, or cweb login")
      ->check(is_named)
      ->type_name("KEY");
  command.add_flag("--json", said.json, "print the server's JSON as it came");
  auto* const insecure =
      command.add_flag("--insecure", said.server.insecure, "take any certificate, whoever signed it");
  command.add_option("--cacert", said.server.ca_file, "PEM file of those whose certificates are trusted")
      ->check(is_named)
      ->type_name("FILE")
      ->excludes(insecure);
}

CLI::App& add_command(CLI::App& app, ClientCommand& said, What what, const char* name, const char* description,
                      const char* examples) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.footer(std::string("Examples:\n") + examples);
  command.callback([&said, what] { said.what = what; });
  return command;
}

void add_module(CLI::App& command, ClientCommand& said) {
  command
      .add_option_function<std::string>(
          "NAME", [&said](const std::string& name) { said.modules = {name}; }, "the module's name")
      ->required()
      ->check(is_named);
}

void add_deploy(CLI::App& app, ClientCommand& said) {
  CLI::App& deploy = add_command(app, said, What::deploy, "deploy", "compile C files on the server and make them live",
                                 "  cweb deploy counter.c                  one file\n"
                                 "  cweb deploy                            all that routes.ini lists\n"
                                 "  cweb deploy -c staging.ini             all that another ini lists\n"
                                 "  cweb deploy --check src/*.c            compile and check, change nothing\n"
                                 "  generate | cweb deploy -               standard input\n"
                                 "\n"
                                 "routes.ini:\n"
                                 "  server_url=http://localhost:8080/mgnt\n"
                                 "  [modules]\n"
                                 "  modules/counter.c");
  deploy.add_option("FILE", said.files, "C files; - is standard input. Without any: what routes.ini lists")
      ->check(is_named);
  deploy
      .add_option("-c,--config", said.ini,
                  "ini file with the server and the files; default: routes.ini, if it is there")
      ->check(is_named)
      ->type_name("INI");
  deploy.add_flag("--check", said.check_only, "compile, link and check the routes, and leave the server as it is");
  add_server_options(deploy, said);
}

}  // namespace

void add_client_commands(CLI::App& app, ClientCommand& said) {
  add_deploy(app, said);
  add_server_options(add_command(app, said, What::list, "list", "list the modules that are live",
                                 "  cweb list\n"
                                 "  cweb list --json --server https://example.com"),
                     said);
  const auto add_of_module = [&](What what, const char* name, const char* description, const char* examples) {
    CLI::App& command = add_command(app, said, what, name, description, examples);
    add_module(command, said);
    add_server_options(command, said);
    return &command;
  };
  add_of_module(What::show, "show", "tell all about one module, its last faults too", "  cweb show counter");
  add_of_module(What::source, "source", "print the source of the version that serves",
                "  cweb source counter > counter.c");
  CLI::App& remove = add_command(app, said, What::remove, "remove", "remove modules",
                                 "  cweb remove counter\n"
                                 "  cweb remove counter chat echo");
  remove.add_option("NAME", said.modules, "names of modules")->required()->check(is_named);
  add_server_options(remove, said);
  add_of_module(What::history, "history", "list the versions that a server with --modules has kept",
                "  cweb history counter");
  CLI::App* const rollback =
      add_of_module(What::rollback, "rollback", "deploy the version before the live one, or another of the history",
                    "  cweb rollback counter\n"
                    "  cweb rollback counter 0b6037cd");
  rollback->add_option("HASH", said.hash, "the beginning of a version's hash, 4 digits at least: see cweb history");
  add_of_module(What::restart, "restart", "begin anew with the version that serves: its statics, its onload",
                "  cweb restart counter");
  add_server_options(add_command(app, said, What::login, "login", "save a server's admin key, after trying it",
                                 "  cweb login                             asks for the key of http://localhost:8080\n"
                                 "  cweb login --server https://example.com < key.txt"),
                     said);
}

}  // namespace cweb::cli
