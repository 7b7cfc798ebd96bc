// The command line of the client commands -> plain data. Parses only: opens nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cweb::cli {

/// What was said of the server. server_choice.h makes an address of it.
struct ServerWish {
  std::string url;      ///< --server; empty: not given
  std::string key;      ///< --key; empty: not given
  std::string ca_file;  ///< --cacert; empty: not given
  bool insecure = false;
};

/// A command that is a client of a server's /mgnt.
struct ClientCommand {
  enum class What {
    deploy,
    watch,
    run,
    list,
    show,
    source,
    logs,
    remove,
    history,
    rollback,
    restart,
    login,
    new_module,
    include_dir,
  };
  What what = What::list;
  ServerWish server;
  bool json = false;                          ///< the server's JSON to standard output
  std::vector<std::string> files;             ///< of deploy, where "-" is standard input, of watch and of run
  std::string ini;                            ///< of deploy; empty: not given
  bool check_only = false;                    ///< of deploy
  std::vector<std::string> modules;           ///< names; one, but for remove
  std::string hash;                           ///< of rollback; empty: the version before
  bool follow = false;                        ///< of logs: go on with what happens
  size_t lines = 1000;                        ///< of logs: of what is kept
  bool websocket = false;                     ///< of new: a module with one
  std::optional<uint16_t> port;               ///< of run; none: 8080, or a free one when that is taken
  std::vector<std::string> server_arguments;  ///< of run: options of its server
};

/// Adds the subcommands to the command line; the one that is parsed has its data in `command`, which outlives `app`.
/// The commands, in the order in which they were added, are what client_command_parsed() looks through.
void add_client_commands(CLI::App& app, ClientCommand& command);

/// The command line with what of --server, --key, --cacert, --insecure and --json stands before the command put behind
/// it: `cweb --server URL list` is `cweb list --server URL`. Anything else stays as it is.
std::vector<const char*> command_first(int argc, const char* const* argv);

}  // namespace cweb::cli
