#include "client_user.h"

#include <fcntl.h>
#include <unistd.h>

#include "server_process.h"

namespace cweb::e2e {

std::vector<std::string> ClientUser::command(const std::vector<std::string>& arguments,
                                             const std::vector<std::string>& variables) const {
  std::vector<std::string> command{"env", "--chdir=" + home_.path()};
  for (const char* name : {"CWEB_SERVER", "CWEB_ADMIN_KEY", "XDG_CONFIG_HOME", "NO_COLOR", "http_proxy", "https_proxy",
                           "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
    command.push_back(std::string("--unset=") + name);
  }
  command.push_back("HOME=" + home_.path());
  command.insert(command.end(), variables.begin(), variables.end());
  command.push_back(cweb_binary());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Finished ClientUser::run(const std::vector<std::string>& arguments, const std::vector<std::string>& variables) const {
  return run_program(command(arguments, variables));
}

Finished ClientUser::run_with_input(const std::string& input, const std::vector<std::string>& arguments) const {
  home_.write("input", input);
  const UniqueFd file(open(home_.path("input").c_str(), O_RDONLY | O_CLOEXEC));
  return run_program(command(arguments), {{file.get(), STDIN_FILENO}});
}

}  // namespace cweb::e2e
