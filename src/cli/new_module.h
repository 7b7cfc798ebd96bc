// `cweb new`: a module to start from, and what an editor needs to know cweb.h.
#pragma once

#include <string>

#include "base/error.h"

namespace cweb::cli {

struct NewModule {
  std::string name;        ///< of the module; the file is NAME.c
  bool websocket = false;  ///< one with a WebSocket and a page that speaks to it
};

/// The source of the module. `name` is valid.
std::string module_template(const NewModule& module);

/// Why nothing can be made of this name; nothing when it will do. Letters, digits, '-' and '_', as it becomes a file's
/// name, a path and the module's.
Expected<void> check_module_name(const std::string& name);

/// Makes NAME.c in the working directory, and compile_flags.txt unless clangd is told something there already. Never
/// writes over a file. The exit code.
int make_new_module(NewModule module);

}  // namespace cweb::cli
