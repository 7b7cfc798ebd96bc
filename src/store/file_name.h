// Names of modules as names of files, and which names in the directory are modules. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace cweb::store {

/// The module's name as part of a file's name, different for each module. It is the name itself but for a dot at its
/// beginning and any '%', '/' or byte beyond printable ASCII, which are written as %XX. What would be longer than a
/// file's name may be is cut and ends in "%-" and the SHA-256 of the name; all others can be read back.
std::string file_stem(std::string_view module);

/// The file that a module is kept in: "counter.c". `attempt` above 1 is for a name that somebody else's file has:
/// "counter%2.c", which no module's own name becomes.
std::string file_name(std::string_view module, unsigned attempt = 1);

/// Does a file of this name hold a module? NAME.c that is not hidden: editors' own files are called .NAME.c.swp,
/// NAME.c~ or #NAME.c#, and what the server writes for itself begins with a dot.
bool is_module_file(std::string_view name);

}  // namespace cweb::store
