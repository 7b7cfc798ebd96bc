// The compiler's messages as Clang prints them in a terminal, about the file that the user knows. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cweb::cli {

/// `rendered` is the server's text, where the source is called module.c; `file` is what the user calls it. A server in
/// production leaves out the lines of the source: they are put in from `source`, what was sent. Whole lines, harmless.
std::string diagnostic_text(std::string_view rendered, std::string_view file, std::string_view source, bool colours);

/// The report of a fault of `module` with the user's files, by their modules, in place of the server's names:
/// "module.c" is that module's source, "other/module.c" another one's. What is none of the user's stays as it is.
std::string with_files(std::string_view report, const std::string& module,
                       const std::map<std::string, std::string>& files);

}  // namespace cweb::cli
