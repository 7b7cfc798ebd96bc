#include "cli/client_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace cweb::cli {
namespace {

using What = ClientCommand::What;

std::string is_named(const std::string& text) {
  return text.empty() ? "it is empty" : "";
}

std::string is_hash(const std::string& text) {
  const bool is_one = text.size() >= 4 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_one ? "" : "it is no beginning of a hash, which has at least 4 digits of 0-9 and a-f: cweb history tells";
}

enum class Json { offered, not_offered };

void add_server_options(CLI::App& command, ClientCommand& said, Json json = Json::offered) {
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
  if (json == Json::offered) command.add_flag("--json", said.json, "print the server's JSON");
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

void add_watch(CLI::App& app, ClientCommand& said) {
  CLI::App& watch =
      add_command(app, said, What::watch, "watch", "deploy at every save, and show what the modules print and suffer",
                  "  cweb watch counter.c                   one file\n"
                  "  cweb watch modules                     all C files of a directory, also those to come\n"
                  "  cweb watch                             all that routes.ini lists, as it changes");
  watch.add_option("WHAT", said.files, "C files, directories and ini files. Without any: routes.ini")->check(is_named);
  add_server_options(watch, said, Json::not_offered);
}

void add_run(CLI::App& app, ClientCommand& said) {
  CLI::App& run =
      add_command(app, said, What::run, "run", "serve these files in this terminal: serve, watch and logs in one",
                  "  cweb run modules/mandelbrot.c\n"
                  "  cweb run --port 9000 counter.c\n"
                  "  cweb run counter.c -- --deadline-ms 500    options of cweb serve behind --\n"
                  "\n"
                  "Ctrl-C ends it, and nothing of it is kept. CWEB_ variables are not looked at.");
  run.add_option("WHAT", said.files, "C files, directories and ini files. Without any: routes.ini")->check(is_named);
  run.add_option("--port", said.port, "port to serve on; 0 picks a free one; default: 8080, or a free one")
      ->check(CLI::Range(0, 65'535));
}

void add_logs(CLI::App& app, ClientCommand& said) {
  CLI::App& logs =
      add_command(app, said, What::logs, "logs", "print what modules have printed, and what has happened to them",
                  "  cweb logs\n"
                  "  cweb logs counter -f                   and go on, until Ctrl-C\n"
                  "  cweb logs -n 20 --json                 a JSON object a line");
  logs.add_option("NAME", said.modules, "names of modules; without any: of all")->check(is_named);
  logs.add_flag("-f,--follow", said.follow, "go on with what happens, until Ctrl-C");
  logs.add_option("-n,--lines", said.lines, "at most so many of the last lines")
      ->check(CLI::Range(size_t{1}, size_t{10'000}))
      ->capture_default_str();
  add_server_options(logs, said);
}

void add_new(CLI::App& app, ClientCommand& said) {
  CLI::App& made = add_command(app, said, What::new_module, "new", "make a module to start from",
                               "  cweb new hello                         hello.c, and compile_flags.txt for clangd\n"
                               "  cweb new --ws tea-room                 with a WebSocket and a page");
  add_module(made, said);
  made.add_flag("--ws", said.websocket, "with a WebSocket, and a page that speaks to it");
  add_command(app, said, What::include_dir, "include-dir", "print where cweb.h is, for editors and other compilers",
              "  clang -fsyntax-only -I$(cweb include-dir) hello.c");
}

struct ServerOption {
  std::string_view name;
  bool takes_value;
};
constexpr std::array<ServerOption, 5> server_options = {
    {{"--server", true}, {"--key", true}, {"--cacert", true}, {"--insecure", false}, {"--json", false}}};

}  // namespace

std::vector<const char*> command_first(int argc, const char* const* argv) {
  std::vector<const char*> arguments(argv, argv + argc);
  size_t at = 1;
  while (at < arguments.size()) {
    const std::string_view argument = arguments[at];
    const size_t equals = argument.find('=');
    const auto option = std::find_if(server_options.begin(), server_options.end(),
                                     [&](const auto& each) { return each.name == argument.substr(0, equals); });
    if (option == server_options.end()) break;
    at += option->takes_value && equals == argument.npos ? 2 : 1;
  }
  if (at >= arguments.size() || arguments[at][0] == '-') return arguments;
  // Its --key is a certificate's.
  if (std::string_view(arguments[at]) == "serve") return arguments;
  const auto command = arguments.begin() + static_cast<std::ptrdiff_t>(at);
  std::rotate(arguments.begin() + 1, command, command + 1);
  return arguments;
}

void add_client_commands(CLI::App& app, ClientCommand& said) {
  add_new(app, said);
  add_run(app, said);
  add_deploy(app, said);
  add_watch(app, said);
  add_logs(app, said);
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
  rollback->add_option("HASH", said.hash, "the beginning of a version's hash, 4 digits at least: see cweb history")
      ->check(is_hash);
  add_of_module(What::restart, "restart", "begin anew with the version that serves: its statics, its onload",
                "  cweb restart counter");
  add_server_options(add_command(app, said, What::login, "login", "save a server's admin key, after trying it",
                                 "  cweb login                             asks for the key of http://localhost:8080\n"
                                 "  cweb login --server https://example.com < key.txt"),
                     said);
}

}  // namespace cweb::cli
